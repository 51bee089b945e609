"""`umbra scenes boost`: an enlarged file, and beside it what was not believed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from api.steps.boost_annotations import AnnotationBoost, boost_annotations
from encoders import TinyTextEncoder
from kg.errors import InputError, RecordError
from scenes.cacao.boosting import BoostingConfig
from scenes.exchange.formats import write_exchanged
from scenes.relations.annotations import AnnotatedImage, Vocabulary, read_annotations
from tests.scenes.relation_files import write_vocabulary
from tests.scenes.relation_samples import ON, RIDE, VOCABULARY, images
from tests.scenes.test_cacao_boosting import QUICK, SmallLanguageModel


def written(folder: Path, name: str, made: Sequence[AnnotatedImage], names: Vocabulary) -> Path:
    path = folder / f"{name}.jsonl"
    write_exchanged(made, names, path, form="vrd")
    write_vocabulary(folder / f"{name}-vocabulary.json", names)
    return path


@pytest.fixture
def task(tmp_path: Path) -> AnnotationBoost:
    return AnnotationBoost(
        annotations=written(tmp_path, "train", images(60), VOCABULARY),
        vocabulary=tmp_path / "train-vocabulary.json",
        out=tmp_path / "more" / "train.jsonl",
        prompts=tmp_path / "prompts",
        boosting=BoostingConfig(coarse_share=0.8, bare_confidence=2.0, most=99.0),
        training=QUICK,
    )


def boosted(task: AnnotationBoost) -> dict[str, Any]:
    return boost_annotations(task, language=SmallLanguageModel(), encoder=TinyTextEncoder())


def test_nothing_is_lost_between_the_enlarged_file_and_the_review(task: AnnotationBoost) -> None:
    found = boosted(replace(task, believe="supported"))
    before = read_annotations(task.annotations, VOCABULARY)
    after = read_annotations(task.out, VOCABULARY)
    more = sum(map(len, (one.triplets for one in after))) - 60 * 3
    left = [json.loads(line) for line in Path(found["review_file"]).read_text().splitlines()]
    assert (more, len(left)) == (found["added"], found["not_taken"])
    assert more + len(left) == found["supported"] + found["uncertain"] + found["refuted"]
    riders = sum(ON in one.triplets[:, 1] for one in before)
    assert more + len(left) == riders > 10  # each that is only "on" may ride
    assert set(found["predicates"]) <= {"ride"}
    for row in left:
        assert (row["predicate"], row["verdict"] in {"uncertain", "refuted"}) == ("ride", True)
    again = boosted(replace(task, believe="all"))  # by the kept prompts
    assert (again["added"], again["not_taken"]) == (riders, 0)


def test_predicates_of_other_images_are_mapped(task: AnnotationBoost, tmp_path: Path) -> None:
    others = Vocabulary(("horse", "person", "hat"), ("ride", "on", "wear", "left of"))
    given = [one.renumbered(VOCABULARY, others) for one in images(60, seed=3, fine=1.0)]
    path = written(tmp_path, "open", given, others)
    opened = replace(
        task,
        open_annotations=path,
        open_vocabulary=tmp_path / "open-vocabulary.json",
        believe="all",
    )
    assert boosted(opened)["predicates"].keys() == {"ride"}
    added = np.concatenate([one.triplets for one in read_annotations(task.out, VOCABULARY)])
    assert {tuple(row) for row in added[added[:, 1] == RIDE].tolist()} == {(0, RIDE, 1)}
    with pytest.raises(InputError, match="of other classes or predicates"):
        boosted(task)


def test_a_bad_line_leaves_nothing_behind(task: AnnotationBoost) -> None:
    with task.annotations.open("a") as file:
        file.write('{"image": 3}\n')
    with pytest.raises(RecordError, match="needs a name"):
        boosted(task)
    assert not task.out.exists()
    assert not list(task.out.parent.iterdir())
