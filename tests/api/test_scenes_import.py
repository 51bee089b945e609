"""`umbra scenes import`: annotated images become a graph that questions reach."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from api.cli.main import main
from api.engine import Engine
from api.steps.check_graph import check_folder
from api.steps.check_scenes import check_scenes
from api.steps.import_annotations import AnnotationImport, import_annotations
from api.steps.scene_sheet import sheet_tiles
from api.workspace import Workspace
from kg.backends.memory import MemoryStore
from kg.errors import (
    ImageError,
    InputError,
    MissingPartError,
    RecordError,
    SettingError,
    UnknownEntityError,
)
from scenes.exchange.formats import write_exchanged
from scenes.relations.annotations import read_annotations, read_vocabulary
from scenes.relations.checkpoint import save_relation_model
from scenes.relations.prior import PriorLearner
from tests.scenes.relation_files import rows, write_rows, write_vocabulary
from tests.scenes.relation_world import VOCABULARY


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A vocabulary, images to train on, to calibrate on and to import, and a model."""
    write_vocabulary(tmp_path / "vocabulary.json")
    for name, count, seed in (("train", 80, 1), ("held", 80, 2), ("new", 20, 3)):
        write_rows(tmp_path / f"{name}.jsonl.gz", rows(count, seed=seed))
    vocabulary = read_vocabulary(tmp_path / "vocabulary.json")
    images = read_annotations(tmp_path / "train.jsonl.gz", vocabulary)
    save_relation_model(PriorLearner().fit(images, vocabulary, seed=0), tmp_path / "model")
    return tmp_path


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(Workspace(tmp_path / "graph"), store=MemoryStore())


def task(files: Path, **more: Path) -> AnnotationImport:
    return AnnotationImport(
        annotations=files / "new.jsonl.gz", vocabulary=files / "vocabulary.json", **more
    )


def test_what_is_said_and_what_is_likely_are_told_apart(files: Path, engine: Engine) -> None:
    given = task(files, model=files / "model", calibrate=files / "held.jsonl.gz")
    found = import_annotations(engine, given)
    kinds = [record.kind for edge in engine.store.edges() for record in edge.provenance]
    assert kinds.count("generated") == found["likely"] > 0
    assert kinds.count("asserted") == found["said"]
    assert check_folder(engine) == []
    version = engine.store.version
    import_annotations(engine, given)
    assert engine.store.version == version


def test_what_boxes_rule_out_is_told_and_not_written(files: Path, engine: Engine) -> None:
    given = task(files, model=files / "model", calibrate=files / "held.jsonl.gz")
    found = import_annotations(engine, given)
    told = [json.loads(line) for line in Path(found["review_file"]).read_text().splitlines()]
    assert len(told) == found["ruled_out"] > 0
    assert {row["predicate"] for row in told} <= {"wear", "hold", "on", "under"}
    assert all(row["geometry"] and row["probability"] >= 0.1 for row in told)
    flags = check_scenes(engine)
    assert {record["kind"] for flag in flags for record in flag["said"]} <= {"asserted"}


def test_pictures_of_a_folder_are_taken_and_none_outside_it(files: Path, engine: Engine) -> None:
    folder = files / "pictures"
    folder.mkdir()
    for row in rows(20, seed=3):
        Image.new("RGB", (130, 130), "white").save(folder / row["image"])
    import_annotations(engine, task(files, images=folder))
    image = next(entity for entity in engine.store.entities() if entity.label == "Image")
    assert (image.images[0].width, image.images[0].source) == (130, image.name)
    Image.new("RGB", (9, 9)).save(files / "secret.jpg")
    write_rows(files / "new.jsonl.gz", [rows(1, seed=3)[0] | {"image": "../secret.jpg"}])
    with pytest.raises(InputError, match="leads out of the folder"):
        import_annotations(engine, task(files, images=folder))
    write_rows(files / "new.jsonl.gz", [rows(1, seed=3)[0] | {"image": "none.jpg"}])
    with pytest.raises(ImageError):
        import_annotations(engine, task(files, images=folder))


def test_formats_of_others_land_but_for_bad_records(files: Path, engine: Engine) -> None:
    path = files / "coco.json"
    images = read_annotations(files / "new.jsonl.gz", VOCABULARY)
    write_exchanged(images, VOCABULARY, path, form="coco")
    value = json.loads(path.read_text())
    value["annotations"][0]["bbox"] = None
    path.write_text(json.dumps(value))
    found = import_annotations(
        engine,
        AnnotationImport(
            annotations=path, model=files / "model", calibrate=files / "held.jsonl.gz"
        ),
    )
    assert found["parts"] == sum(map(len, images)) - 1
    assert found["likely"] > 0
    told = [json.loads(line) for line in Path(found["rejects_file"]).read_text().splitlines()]
    assert found["rejected"] == len(told)
    assert told[0]["column"] == "annotations.bbox"
    with pytest.raises(InputError, match="need a vocabulary"):
        import_annotations(engine, AnnotationImport(annotations=files / "new.jsonl.gz"))


def test_a_sheet_shows_pictures_with_their_parts_and_relations(files: Path, engine: Engine) -> None:
    with pytest.raises(MissingPartError, match="no picture with parts"):
        sheet_tiles(engine)
    import_annotations(engine, task(files))
    images = {image.name: image for image in read_annotations(files / "new.jsonl.gz", VOCABULARY)}
    tiles = sheet_tiles(engine, most=6)
    for tile in tiles:
        image = images[tile.title]
        assert list(tile.labels) == [VOCABULARY.objects[label] for label in image.labels]
        said = [(s, VOCABULARY.predicates[p].replace(" ", "_"), o) for s, p, o in image.triplets]
        assert sorted(tile.relations) == sorted(said)[:12]
    one = sheet_tiles(engine, [f"image:{tiles[3].title}"])
    assert [tile.title for tile in one] == [tiles[3].title]
    with pytest.raises(UnknownEntityError):
        sheet_tiles(engine, ["image:none.jpg"])


def test_bad_input_is_told_and_nothing_is_written(files: Path, engine: Engine) -> None:
    with pytest.raises(SettingError, match="given both or not at all"):
        task(files, model=files / "model")
    broken = rows(3, seed=3)
    broken[1]["labels"] = ["person"]
    write_rows(files / "new.jsonl.gz", broken)
    with pytest.raises(RecordError, match=r"whole number, in .*:2 "):
        import_annotations(engine, task(files))
    assert list(engine.store.entities()) == []


def test_the_command_imports_into_the_embedded_store(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(files / "graph")
    command = ["scenes", "import", str(files / "new.jsonl.gz"), "--folder", folder, "--json"]
    assert main([*command, "--vocabulary", str(files / "vocabulary.json")]) == 0
    assert json.loads(capsys.readouterr().out)["images"] == 20
    query = "MATCH (i:Image)-[:has_part]->(p:Part)-[:wear]->(:Part {name: 'hat'}) RETURN count(i)"
    assert main(["cypher", query, "--folder", folder, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0][0] > 0
    sheet = files / "sheet.svg"
    drawn = ["scenes", "sheet", str(sheet), "--most", "3", "--folder", folder, "--json"]
    assert main(drawn) == 0
    assert json.loads(capsys.readouterr().out)["images"] == 3
    assert ET.parse(sheet).getroot().tag.endswith("svg")  # noqa: S314
    assert main([*command, "--vocabulary", str(files / "none.json")]) != 0
    assert "none.json" in capsys.readouterr().err
    assert main(["store", "stop", "--folder", folder]) == 0
