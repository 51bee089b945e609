"""The matcher on a drawn world: it learns, keeps its promises on what is missing, and is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from encoders import TinyImageEncoder, TinyTextEncoder
from kg.errors import ForeignFileError, InputError, MissingPartError, SettingError
from kg.model import EntityKey
from linkers.boosted import EntityTable, PooledTexts
from linkers.model import Mention
from linkers.visual import (
    Looks,
    PictureMatcher,
    VisualBase,
    VisualConfig,
    VisualMentions,
    WordIndex,
    load_matcher,
    look_at,
    save_matcher,
)
from linkers.visual.matcher import held_out_units
from linkers.visual.sides import only
from tests.linkers.visual.drawn_world import drawn, things

ROWS = things()
TRAIN = np.array([n for n, row in enumerate(ROWS) if row["split"] == "train"])
REST = np.setdiff1d(np.arange(len(ROWS)), TRAIN)


def looks(hand: str) -> Looks:
    return look_at(list(drawn(hand)), TinyImageEncoder(side=6), count=len(ROWS))


@pytest.fixture(scope="module")
def base() -> VisualBase:
    table = EntityTable(
        keys=tuple(EntityKey(row["entity_id"]) for row in ROWS),
        names=tuple((row["name"], row["annotation"], *row["tags"]) for row in ROWS),
    )
    words = WordIndex(table, PooledTexts(TinyTextEncoder()))
    return VisualBase(looks=looks("first"), words=words)


@pytest.fixture(scope="module")
def whole() -> VisualMentions:
    mentions = tuple(Mention(id=r["entity_id"], surface=r["mention_keyword"]) for r in ROWS)
    return VisualMentions(looks=looks("second"), mentions=mentions)


@pytest.fixture(scope="module")
def matcher(base: VisualBase, whole: VisualMentions) -> PictureMatcher:
    return PictureMatcher.fit(base, whole.take(TRAIN), TRAIN)


def right(matcher: PictureMatcher, base: VisualBase, mentions: VisualMentions) -> float:
    scores = matcher.scores(base, mentions.take(REST))
    return float((scores.argmax(axis=1) == REST).mean())


def test_it_finds_things_it_has_not_seen(
    matcher: PictureMatcher, base: VisualBase, whole: VisualMentions
) -> None:
    raw = whole.looks.kinds["whole"][REST] @ base.looks.kinds["whole"].T
    untrained = float((raw.argmax(axis=1) == REST).mean())
    seen, both = right(matcher, base, only("picture", whole)), right(matcher, base, whole)
    words = right(matcher, base, only("words", whole))
    assert seen > untrained
    assert seen > 0.7
    assert both >= seen
    assert 0 < words < seen


def test_training_is_the_same_for_a_seed(
    matcher: PictureMatcher, base: VisualBase, whole: VisualMentions
) -> None:
    again = PictureMatcher.fit(base, whole.take(TRAIN), TRAIN)
    other = PictureMatcher.fit(base, whole.take(TRAIN), TRAIN, seed=1)
    wanted = matcher.scores(base, whole)
    assert (again.scores(base, whole) == wanted).all()
    assert not (other.scores(base, whole) == wanted).all()


def test_a_mention_does_not_depend_on_the_others(
    matcher: PictureMatcher, base: VisualBase, whole: VisualMentions
) -> None:
    together = matcher.scores(base, whole)
    alone = matcher.scores(base, whole.take(np.array([5])))
    assert alone[0] == pytest.approx(together[5], abs=1e-4)


def test_what_is_missing_changes_nothing_else(
    matcher: PictureMatcher, base: VisualBase, whole: VisualMentions
) -> None:
    nothing = VisualMentions(
        looks=replace(whole.looks, present=np.zeros(len(ROWS), dtype=np.bool_)),
        mentions=only("picture", whole).mentions,
    )
    assert not matcher.scores(base, nothing).any()
    holes = np.ones(len(ROWS), dtype=np.bool_)
    holes[3] = False
    kinds = {name: np.where(holes[:, None], v, 0) for name, v in base.looks.kinds.items()}
    without = VisualBase(looks=Looks(kinds=kinds, present=holes), words=base.words)
    scores = matcher.scores(without, whole)
    assert np.isfinite(scores).all()
    kept = np.setdiff1d(REST, [3])
    assert (scores[kept].argmax(axis=1) == kept).mean() > 0.7
    learnt = PictureMatcher.fit(without, whole.take(TRAIN), TRAIN)
    assert right(learnt, without, whole) > 0.6


def test_pictures_alone_teach_pictures_alone(base: VisualBase, whole: VisualMentions) -> None:
    silent = only("picture", whole)
    matcher = PictureMatcher.fit(
        base, silent.take(TRAIN), TRAIN, config=VisualConfig(bridge_penalty=None)
    )
    assert set(matcher.fusions) == {"picture"}
    assert matcher.maps.spoken is None
    assert right(matcher, base, silent) > 0.6
    both = matcher.scores(base, whole)
    assert both == pytest.approx(matcher.scores(base, silent), abs=1e-5)
    with pytest.raises(InputError, match="by words"):
        matcher.scores(base, only("words", whole))


def test_only_a_sample_is_asked_for_weights(
    base: VisualBase, whole: VisualMentions, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("_ASKED", 16), ("_ENTITIES", 5), ("_BLOCK", 3)):
        monkeypatch.setattr(f"linkers.visual.matcher.{name}", value)
    held = held_out_units(base, whole.take(TRAIN), TRAIN, config=VisualConfig())
    scores, columns = held["picture"]
    assert scores.shape[1] == len(columns) == len(np.unique(columns)) == 16
    assert scores.shape[2] <= 16 + 5
    matcher = PictureMatcher.fit(base, whole.take(TRAIN), TRAIN)
    assert right(matcher, base, whole) > 0.6


def test_without_hub_correction_scores_are_the_plain_ones(
    base: VisualBase, whole: VisualMentions, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("linkers.visual.matcher._BANK", 10)
    matcher = PictureMatcher.fit(base, whole.take(TRAIN), TRAIN)
    save_matcher(matcher, tmp_path, encoders="tiny")
    again = load_matcher(tmp_path, encoders="tiny")
    assert (again.scores(base, whole) == matcher.scores(base, whole)).all()
    plain = PictureMatcher.fit(base, whole.take(TRAIN), TRAIN, config=VisualConfig(hub_share=0.0))
    assert not plain.hubs
    units = plain.maps.units("picture and words", base, whole)
    assert (plain.scores(base, whole) == plain.fusions["picture and words"](units)).all()
    gap = plain.scores(base, whole) - matcher.scores(base, whole)
    assert gap == pytest.approx(
        np.broadcast_to(0.5 * matcher.hubs["picture and words"], gap.shape), abs=1e-4
    )
    # an entity that came after the training has the mean hubness
    table = base.words.table
    renamed = EntityTable(keys=(EntityKey("new"), *table.keys[1:]), names=table.names)
    other = VisualBase(looks=base.looks, words=WordIndex(renamed, PooledTexts(TinyTextEncoder())))
    gap = plain.scores(other, whole) - matcher.scores(other, whole)
    assert gap[0, 0] == pytest.approx(0.5 * matcher.hubs["picture and words"].mean(), abs=1e-4)
    assert gap[0, 1] == pytest.approx(0.5 * matcher.hubs["picture and words"][1], abs=1e-4)


def test_a_bank_of_entities_halves_the_hubness_with_theirs(
    base: VisualBase, whole: VisualMentions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("linkers.visual.matcher._BANK", 10)
    one = PictureMatcher.fit(base, whole.take(TRAIN), TRAIN)
    both = VisualConfig(hub_banks="mentions and entities")
    two = PictureMatcher.fit(base, whole.take(TRAIN), TRAIN, config=both)
    asked = VisualMentions(
        looks=base.looks,
        mentions=tuple(Mention(id="", surface=names[0]) for names in base.words.table.names),
    )
    for mode, hubs in one.hubs.items():
        scores = two.fusions[mode](two.maps.units(mode, base, asked)).astype(np.float64)
        others = [np.delete(scores[:, n], n) for n in range(scores.shape[1])]
        of_entities = [np.logaddexp.reduce(column) - np.log(len(column)) for column in others]
        np.testing.assert_allclose(two.hubs[mode], (hubs + of_entities) / 2, atol=1e-4)
    with pytest.raises(SettingError, match="hub_banks must be"):
        VisualConfig(hub_banks="entities")  # type: ignore[arg-type]


def test_too_few_pairs_are_refused(base: VisualBase, whole: VisualMentions) -> None:
    few = TRAIN[:2]
    with pytest.raises(InputError, match=r"too few|learn"):
        PictureMatcher.fit(base, whole.take(few), few)
    with pytest.raises(InputError):
        PictureMatcher.fit(base, whole.take(TRAIN), np.full(len(TRAIN), -1))


def test_pictures_of_another_encoder_are_refused(
    matcher: PictureMatcher, base: VisualBase, whole: VisualMentions
) -> None:
    kinds = {name: v for name, v in whole.looks.kinds.items() if name != "patches"}
    foreign = replace(whole, looks=Looks(kinds=kinds, present=whole.looks.present))
    with pytest.raises(InputError, match="patches"):
        matcher.scores(base, foreign)


def test_a_kept_matcher_gives_the_same_scores(
    matcher: PictureMatcher, base: VisualBase, whole: VisualMentions, tmp_path: Path
) -> None:
    save_matcher(matcher, tmp_path / "kept", encoders="tiny")
    again = load_matcher(tmp_path / "kept", encoders="tiny")
    assert (again.scores(base, whole) == matcher.scores(base, whole)).all()
    assert again.config == matcher.config
    with pytest.raises(InputError, match="trained with tiny"):
        load_matcher(tmp_path / "kept", encoders="other")
    with pytest.raises(MissingPartError):
        load_matcher(tmp_path, encoders="tiny")
    save_matcher(matcher, tmp_path / "other", encoders="tiny")
    file = tmp_path / "kept" / "pictures.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(ForeignFileError, match="another training"):
        load_matcher(tmp_path / "kept", encoders="tiny")
    (tmp_path / "other" / "pictures.json").write_text("[]")
    with pytest.raises(ForeignFileError):
        load_matcher(tmp_path / "other", encoders="tiny")
