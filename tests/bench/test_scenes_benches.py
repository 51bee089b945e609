"""The benches of boosting, open vocabulary and roles run on a small set and write their pages."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from bench import scenes_boosting_checks, scenes_cacao, scenes_open_world, scenes_roles
from bench.scenes_cacao_teacher import Teacher
from encoders import TinyTextEncoder
from evaluation import read_result
from scenes.relations.annotations import AnnotatedImage
from tests.scenes.relation_samples import VOCABULARY, images

MORE = [f"predicate {number}" for number in range(16)]


def line(image: AnnotatedImage, number: int) -> str:
    """The image with one more triplet, of any of many predicates."""
    triplets = [*image.triplets.tolist(), [3, 4 + number % len(MORE), 0]]
    return json.dumps(
        {
            "image": image.name,
            "boxes_xyxy": image.boxes.tolist(),
            "labels": image.labels.tolist(),
            "triplets": triplets,
        }
    )


@pytest.fixture
def vrd(tmp_path: Path) -> Path:
    for name, count, seed in (("train", 40, 0), ("test", 24, 5)):
        lines = [line(image, n) for n, image in enumerate(images(count, seed=seed))]
        (tmp_path / f"{name}.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    names = {"objects": VOCABULARY.objects, "predicates": [*VOCABULARY.predicates, *MORE]}
    (tmp_path / "vocabulary.json").write_text(json.dumps(names))
    return tmp_path


def test_roles(vrd: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    options = ["--seeds", "2", "--epochs", "2", "--out", str(out)]
    assert scenes_roles.main([str(vrd), *options]) == 0
    result = read_result(out / "scenes-roles.json")
    assert set(result.by["method"]) == {"prior", "without", "with"}
    assert result.by["method"]["with"]["accuracy"] > 0.5
    page = (out / "scenes-roles.md").read_text()
    assert "| gain by hard negatives |" in page
    assert str(tmp_path) not in page


def test_open_world(vrd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.setattr(scenes_open_world, "packaged_text_encoder", lambda _: TinyTextEncoder())
    options = ["--seeds", "1", "--members", "1", "--out", str(out)]
    assert scenes_open_world.main([str(vrd), *options]) == 0
    result = read_result(out / "scenes-open-world.json")
    assert set(result.by["novel"]) == set(scenes_open_world.METHODS)
    assert result.by["all"]["all"]["n"] == 1
    page = (out / "scenes-open-world.md").read_text()
    assert all(label in page for label in scenes_open_world.METHODS.values())
    assert str(tmp_path) not in page


class Sure(torch.nn.Module):
    """Believes in the last predicate of the vocabulary."""

    def log_probabilities(self, labels: np.ndarray, measures: np.ndarray) -> np.ndarray:
        del measures
        values = np.full((len(labels), 20), np.log(0.01))
        values[:, -1] = np.log(0.81)
        return values


def test_boosting(vrd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.setattr(scenes_cacao, "packaged_text_encoder", lambda _: TinyTextEncoder())
    teacher = Teacher(Sure())  # type: ignore[arg-type]  # a scorer is all that is asked of it
    monkeypatch.setattr(Teacher, "read_or_train", lambda *_, **__: teacher)
    options = ["--seeds", "1", "--kinds", "prior", "logistic", "--out", str(out)]
    assert scenes_cacao.main([str(vrd), "--work", str(tmp_path), *options]) == 0
    result = read_result(out / "scenes-cacao.json")
    assert set(result.by["added"]) == {"predicate 15"}
    assert set(result.by["learner"]) == {
        f"{kind} {name}" for kind in ("prior", "logistic") for name in ("with", "without")
    }
    page = (out / "scenes-cacao.md").read_text()
    assert "| prior, gain |" in page
    assert str(tmp_path) not in page


def test_checked_additions(vrd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    out.mkdir()
    teacher = Teacher(Sure())  # type: ignore[arg-type]  # a scorer is all that is asked of it
    monkeypatch.setattr(Teacher, "read_or_train", lambda *_, **__: teacher)
    for module in (scenes_boosting_checks, scenes_cacao):
        monkeypatch.setattr(module, "packaged_text_encoder", lambda _: TinyTextEncoder())
    options = ["--seeds", "1", "--kinds", "prior", "--out", str(out)]
    assert scenes_boosting_checks.main([str(vrd), "--work", str(tmp_path), *options]) == 0
    result = read_result(out / "scenes-boosting-checks.json")
    found = result.by["found"]
    assert found["all"]["n"] == sum(
        found[name]["n"] for name in ("supported", "uncertain", "refuted")
    )
    assert set(result.by["written"]) == {
        f"{kind}, {name}" for kind in ("prior", "baseline") for name in ("allowed", "ruled out")
    }
    page = (out / "scenes-boosting-checks.md").read_text()
    assert "| prior, supported over all |" in page
    assert str(tmp_path) not in page


def test_a_cut_by_confidence_holds_as_many_hits() -> None:
    confidence, right = np.array([0.9, 0.8, 0.7, 0.6]), np.array([False, True, True, False])
    once = np.ones(4)
    cut = scenes_boosting_checks.cut_by_confidence
    assert cut(confidence, right, 1.0, once) == 1 / 2
    assert cut(confidence, right, 2.0, once) == 2 / 3
    assert cut(confidence, right, 2.0, np.array([0.0, 1.0, 1.0, 1.0])) == 1.0
