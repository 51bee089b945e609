import gzip
import json

import numpy as np
import pytest

from bench.parts.__main__ import main
from bench.parts.classifier import PartClassifier, with_known_labels
from bench.parts.graph import HAS_LABEL, held_out, vrd_world
from bench.parts.questions import question_sets, ranked
from evaluation import read_result
from reasoning.cones.parts import snapshot_table

SIZES = ((900, 300), (300, 900), (400, 400), (100, 100))


@pytest.fixture(scope="module")
def vrd(tmp_path_factory):
    """Images of four classes that their boxes tell apart, in the format of VRD."""
    folder = tmp_path_factory.mktemp("vrd")
    words = {"objects": ["band", "pole", "disc", "dot"], "predicates": ["above", "beside"]}
    (folder / "vocabulary.json").write_text(json.dumps(words))
    draw = np.random.default_rng(0)
    for name, count in (("train", 50), ("test", 10)):
        with gzip.open(folder / f"{name}.jsonl.gz", "wt") as lines:
            for number in range(count):
                labels = draw.permutation(4)[: 2 + number % 3].tolist()
                boxes = []
                for label in labels:
                    width, height = SIZES[label]
                    x, y = draw.integers(0, 1024 - width), draw.integers(0, 1024 - height)
                    boxes.append([int(x), int(y), int(x + width), int(y + height)])
                edges = [
                    [i, int(boxes[i][1] > boxes[i + 1][1]), i + 1] for i in range(len(labels) - 1)
                ]
                scene = {"image": f"{name}{number}", "boxes_xyxy": boxes, "labels": labels}
                lines.write(json.dumps(scene | {"triplets": edges}) + "\n")
    return folder


def test_the_bench_runs_and_says_what_it_found(vrd, tmp_path, capsys):
    arguments = ["--vrd", str(vrd), "--seeds", "2", "--steps", "4", "--questions", "6"]
    work = ["--work", str(tmp_path / "work"), "--out", str(tmp_path / "out")]
    assert main([*arguments, *work]) == 0
    result = read_result(tmp_path / "out" / "parts-vrd-seed1.json")
    assert set(result.by) == {"within_image", "end_to_end"}
    for view in result.by.values():
        for figures in view.values():
            assert figures["n"] > 0
            assert {"mrr_rcone", "mrr_cone", "mrr_classifier", "mrr_rough_truth"} <= set(figures)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "work").rglob("*.npz")}
    assert {path.stem for path in kept} >= {"cone", "rcone"}
    assert "seed 1: cone\n" in capsys.readouterr().out
    assert main([*arguments, *work]) == 0  # what was run before is read
    assert "seed 1: cone\n" not in capsys.readouterr().out
    assert all(path.stat().st_mtime_ns == written for path, written in kept.items())
    lead = json.loads((tmp_path / "out" / "parts-vrd-summary.json").read_text())
    assert lead["within"]["label"]["cone"]["lead"]["bootstrap"]["units"] > 0


def test_held_out_edges_are_labels_and_predicates_and_hang_on_role_and_seed(vrd):
    world = vrd_world(vrd)
    hidden = held_out(world, labels=0.3, predicates=0.2, seed=0, role="test")
    names = {world.full.relation_names.name(int(r)) for r in world.full.relations[hidden]}
    assert names == {HAS_LABEL, "above", "beside"}
    again = held_out(world, labels=0.3, predicates=0.2, seed=0, role="test")
    assert (hidden == again).all()
    for seed, role in ((1, "test"), (0, "valid")):
        other = held_out(world, labels=0.3, predicates=0.2, seed=seed, role=role)
        assert (hidden != other).any()


def test_a_perfect_score_is_first_and_a_constant_one_in_the_middle(vrd):
    world = vrd_world(vrd)
    hidden = held_out(world, labels=0.3, predicates=0.2, seed=0, role="test")
    known = world.full.keeping(~hidden)
    parts = np.flatnonzero(np.asarray(world.full.parents) >= 0)
    sets = question_sets(world, world.full, known, count=20, seed=0)
    assert {questions.name for questions in sets} >= {
        "label",
        "relation",
        "image_and_label",
        "either_label",
    }
    for questions in sets:
        best = ranked(
            questions,
            world.full,
            lambda asked: np.stack([np.isin(parts, ids) for ids in asked.queries.hard]) * 1.0,
        )
        assert (best.within == 1).all()
        assert (best.end_to_end == 1).all()
        same = ranked(questions, world.full, lambda asked: np.zeros((len(asked.trees), len(parts))))
        assert same.end_to_end.mean() < 0.3
        assert same.end_to_end_first.max() == 0


def test_the_classifier_learns_what_boxes_tell(vrd):
    world = vrd_world(vrd)
    hidden = held_out(world, labels=0.3, predicates=0.2, seed=0, role="test")
    known = world.full.keeping(~hidden)
    table = snapshot_table(
        known, world.features, label_relation=HAS_LABEL, width=6, min_probability=0.5
    )
    found = PartClassifier(table, 2 * known.num_relations, seed=0, epochs=60)
    whole = snapshot_table(
        world.full, world.features, label_relation=HAS_LABEL, width=6, min_probability=0.5
    )
    unknown = table.labels == 0
    right = found.labels[unknown].argmax(1) == whole.labels[unknown]
    assert right.mean() > 0.6  # at random 0.25
    assert (found.labels[~unknown].argmax(1) == whole.labels[~unknown]).all()


def test_a_known_label_has_probability_one():
    found = with_known_labels(np.full((2, 3), 0.3, np.float32), np.array([2, 0]))
    np.testing.assert_allclose(found, [[0, 0, 1], [0, 0.3, 0.3]], rtol=1e-6)
