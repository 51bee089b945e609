from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from encoders.protocols import Vectors
from encoders.tiny import TinyImageEncoder
from kg.errors import (
    ConflictError,
    ForeignFileError,
    FormatVersionError,
    ImageError,
    InputError,
    MissingPartError,
    SettingError,
)
from scenes.assessment import evaluate_scenes, singled_out
from scenes.config import SceneConfig
from scenes.geometry import contradicts
from scenes.model import Pixels
from scenes.network import NetworkConfig
from scenes.pipeline import SceneModel
from scenes.prepared import prepare_images
from scenes.records import SeenImage, scene_from_json, scene_to_json
from scenes.regions import SegmentConfig, segment
from scenes.wording import read_description
from tests.scenes.conftest import SMALL, Flags
from tests.scenes.drawing import GREEN, RED, WHITE, YELLOW, Flag, crescent_and_star, described_flags

TINY = replace(
    SMALL,
    labels=replace(
        SMALL.labels, drawn=8, rounds=1, network=NetworkConfig(hidden=8, epochs=4, members=1)
    ),
)


def test_a_flag_never_seen_is_labelled_and_related(model: SceneModel) -> None:
    flag = Flag(GREEN).crescent(110, 80, 34, WHITE, GREEN).star(150, 80, 14, WHITE).pixels()
    scene = model.parse(flag)
    assert [region.label for region in scene.regions] == ["field", "crescent", "star"]
    assert scene.regions[1].label_probability > 0.5
    exact = {(r.subject, r.predicate, r.object) for r in scene.relations if r.exact}
    assert {(1, "inside", 0), (2, "inside", 0), (0, "surrounds", 1)} <= exact
    assert all(0 <= r.probability <= 1 for r in scene.relations)
    assert ("centred_on") in {r.predicate for r in scene.relations if not r.exact}


def test_no_predicted_relation_contradicts_geometry(model: SceneModel, flags: Flags) -> None:
    told = 0
    for key in sorted(flags[0])[:10]:
        scene = model.parse(flags[0][key])
        for relation in scene.relations:
            boxes = (scene.regions[n].box_xyxy for n in (relation.subject, relation.object))
            assert not contradicts(relation.predicate, *boxes)
            told += not relation.exact
    assert told > 5


def test_held_out_flags_beat_the_majority_and_the_frequency_prior(
    model: SceneModel, flags: Flags
) -> None:
    found = evaluate_scenes(model, *flags, part="test")
    labels, regions, predicates = found["labels"], found["regions"], found["predicates"]
    assert labels["accuracy"]["model"] > 0.95 > labels["accuracy"]["majority"]
    assert labels["over_majority"]["low"] > 0
    assert labels["by_label"]["crescent"]["average_precision"] == 1.0
    assert regions["accuracy"]["model"] > 0.9 > regions["accuracy"]["majority"]
    recall = predicates["recall_at_3"]
    assert recall["model"]["recall"] > recall["frequency_prior"]["recall"]
    assert found["images"] == sum(part == "test" for part in model.split.values())


def test_flags_of_another_artist_can_be_evaluated(model: SceneModel, flags: Flags) -> None:
    shifted = {key: np.roll(image, 1, axis=0) for key, image in flags[0].items()}
    assert evaluate_scenes(model, shifted, flags[1])["labels"]["accuracy"]["model"] > 0.8
    with pytest.raises(InputError, match="test part"):
        evaluate_scenes(model, {}, flags[1])


def test_training_twice_gives_one_model_and_another_seed_another(flags: Flags) -> None:
    few = {key: flags[0][key] for key in sorted(flags[0])[:12]}
    first = SceneModel.train(few, flags[1], TINY, seed=1)
    assert first.version == SceneModel.train(few, flags[1], TINY, seed=1).version
    assert first.version != SceneModel.train(few, flags[1], TINY, seed=2).version


def test_all_at_once_equals_one_by_one(model: SceneModel, flags: Flags) -> None:
    pictures = [flags[0][key] for key in sorted(flags[0])[:4]]
    together = [scene_to_json(scene) for scene in model.parse_all(pictures)]
    assert together == [scene_to_json(model.parse(picture)) for picture in pictures]


def test_the_encoder_is_ahead_by_a_few_images_and_keeps_their_order() -> None:
    made = [np.full((6, 8, 3), shade, dtype=np.uint8) for shade in range(0, 240, 4)]
    for shade, image in enumerate(made):
        image[:3] = (255, shade, 0)
    taken: list[int] = []

    def pictures() -> Iterator[Pixels]:
        for number, image in enumerate(made):
            taken.append(number)
            yield image

    encoder = TinyImageEncoder()
    for number, found in enumerate(prepare_images(pictures(), SegmentConfig(), encoder=encoder)):
        assert len(taken) <= number + 49
        alone = next(prepare_images([made[number]], SegmentConfig(), encoder=encoder))
        assert [r.rgb for r in found.regions] == [r.rgb for r in alone.regions]
        assert found.patches is not None
        assert alone.patches is not None
        assert np.array_equal(found.patches, alone.patches)
    assert len(taken) == len(made) == number + 1


def test_what_the_encoder_refuses_reaches_whoever_asks() -> None:
    class Refusing(TinyImageEncoder):
        def encode(self, images: Sequence[Pixels]) -> Vectors:
            raise ImageError(f"no such picture among {len(images)}")

    picture = crescent_and_star()
    with pytest.raises(ImageError, match="no such picture"):
        next(prepare_images([picture] * 40, SegmentConfig(), encoder=Refusing()))


def test_a_saved_model_sees_the_same(model: SceneModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    again = SceneModel.load(tmp_path)
    assert again.version == model.version
    assert again.split == model.split
    assert again.config == model.config
    picture = crescent_and_star()
    assert scene_to_json(again.parse(picture)) == scene_to_json(model.parse(picture))
    assert not list(tmp_path.glob("*.pkl"))


def test_files_that_are_no_model_are_refused(model: SceneModel, tmp_path: Path) -> None:
    with pytest.raises(MissingPartError):
        SceneModel.load(tmp_path)
    model.save(tmp_path)
    settings = (tmp_path / "scenes.json").read_text()
    (tmp_path / "scenes.json").write_text(
        settings.replace('"most_relations": 24', '"most_relations": 9')
    )
    with pytest.raises(ForeignFileError, match="belong together"):
        SceneModel.load(tmp_path)
    (tmp_path / "scenes.json").write_text(settings.replace('"format": 1', '"format": 99'))
    with pytest.raises(FormatVersionError):
        SceneModel.load(tmp_path)
    (tmp_path / "scenes.json").write_text(settings)
    (tmp_path / "scenes.safetensors").write_bytes(b"nothing")
    with pytest.raises(ForeignFileError):
        SceneModel.load(tmp_path)


def test_a_model_with_an_encoder_needs_that_encoder(tmp_path: Path) -> None:
    images, texts = described_flags(12, seed=3)
    encoder = TinyImageEncoder()
    trained = SceneModel.train(images, texts, TINY, encoder=encoder)
    assert trained.parse(images["000"]).regions
    trained.save(tmp_path)
    alone = SceneModel.load(tmp_path)
    with pytest.raises(MissingPartError, match="encoder"):
        alone.parse(images["000"])
    whole = SceneModel.load(tmp_path, encoder=encoder)
    assert scene_to_json(whole.parse(images["000"])) == scene_to_json(trained.parse(images["000"]))
    with pytest.raises(ConflictError, match="not with None"):
        alone.with_encoder(None)


def test_progress_grows_to_the_total_and_an_interruption_passes_through(flags: Flags) -> None:
    few = {key: flags[0][key] for key in sorted(flags[0])[:12]}
    told: list[tuple[int, int]] = []
    SceneModel.train(few, flags[1], TINY, progress=lambda done, total: told.append((done, total)))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == told[-1][1]

    def stop(done: int, _total: int) -> None:
        if done > 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        SceneModel.train(few, flags[1], TINY, progress=stop)


def test_images_without_usable_descriptions_are_refused(flags: Flags) -> None:
    with pytest.raises(InputError):
        SceneModel.train(flags[0], {"000": "nothing to see"}, SMALL)
    with pytest.raises(InputError):
        SceneModel.train({}, {}, SMALL)


def test_settings_survive_json_and_wrong_ones_are_refused() -> None:
    assert SceneConfig.from_json(SMALL.to_json()) == SMALL
    with pytest.raises(SettingError):
        SceneConfig.from_json({"labels": {}})
    with pytest.raises(SettingError):
        SceneConfig(least_label=2)


def test_a_description_singles_a_region_out_by_its_colour() -> None:
    regions = segment(Flag(RED).disc(120, 80, 40, WHITE).star(120, 80, 20, YELLOW).pixels())
    text = "red with a white disk in the center that has a yellow star"
    assert singled_out(read_description(text), regions) == {0: "field", 1: "disc", 2: "star"}
    assert singled_out(read_description("red with two white disks"), regions) == {0: "field"}


def test_scenes_survive_json_and_broken_ones_are_refused(model: SceneModel) -> None:
    scene = model.parse(crescent_and_star())
    again = scene_from_json(scene_to_json(scene))
    assert scene_to_json(again) == scene_to_json(scene)
    assert all(
        np.array_equal(a.mask, b.mask) for a, b in zip(again.regions, scene.regions, strict=True)
    )
    with pytest.raises(InputError):
        scene_from_json({"width": 3})
    value = scene_to_json(scene)
    value["relations"] = [[0, "inside", 99, 1.0, True]]
    with pytest.raises(InputError, match="not there"):
        scene_from_json(value)
    with pytest.raises(InputError):
        SeenImage.from_line("{}")
