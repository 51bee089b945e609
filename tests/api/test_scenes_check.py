"""Checks of pictures, by step and over REST: both sides are shown, and nothing is changed."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from PIL import Image
from starlette.testclient import TestClient

from api.app import create_app
from api.check_schemas import ChecksOut, TextFlagOut
from api.cursors import cursor_of
from api.engine import Engine
from api.settings import Settings
from api.steps.check_scenes import check_scenes
from api.steps.entity_checks import checks_of
from api.steps.import_annotations import AnnotationImport, import_annotations
from api.workspace import Workspace
from kg.backends.memory import MemoryStore
from kg.errors import ForeignFileError
from kg.model import Edge, Entity, EntityKey, ImagePart, ImageRef
from kg.provenance import Provenance
from scenes.graph import write_scenes
from scenes.model import Scene
from scenes.records import SeenImage
from tests.api.conftest import ADDRESS
from tests.api.test_guard import problem
from tests.scenes.sea_and_sky import sea_and_sky
from tests.scenes.two_bands import two_bands

pytestmark = pytest.mark.xdist_group("checked pictures")

SAID = (Provenance(kind="asserted", source="fan.csv"),)


@pytest.fixture
def beach(tmp_path: Path) -> Engine:
    """A sea below the sky, and one above it that somebody annotated."""
    (tmp_path / "said.jsonl").write_text(sea_and_sky(tmp_path))
    engine = Engine(Workspace(tmp_path / "graph"), store=MemoryStore())
    import_annotations(
        engine,
        AnnotationImport(
            annotations=tmp_path / "said.jsonl", vocabulary=tmp_path / "vocabulary.json"
        ),
    )
    return engine


def test_a_relation_that_boxes_rule_out_is_flagged_with_who_says_it(
    beach: Engine, tmp_path: Path
) -> None:
    engine = beach
    version = engine.store.version
    (flag,) = check_scenes(engine, out=tmp_path / "out.jsonl")
    assert flag["predicate"] == "above"
    assert flag["geometry"] == "the subject lies lower: rows 40 to 80, the object 0 to 30"
    assert [(one["kind"], one["source"]) for one in flag["said"]] == [("asserted", "said.jsonl")]
    assert json.loads((tmp_path / "out.jsonl").read_text()) == flag
    assert engine.store.version == version


def test_the_route_gives_the_flags_of_an_entity_and_says_what_it_left_out(beach: Engine) -> None:
    (flag,) = check_scenes(beach)
    with TestClient(create_app(beach), base_url=ADDRESS) as client:
        address = f"/v1/checks/{flag['entity']}"
        found = ChecksOut.model_validate(client.get(address).json())
        few = ChecksOut.model_validate(client.get(address, params={"limit": 1}).json())
        problem(client.get("/v1/checks/nobody"), "unknown-entity", 404)
        problem(client.get(address, params={"limit": 0}), "invalid-request", 422)
    assert [one.model_dump(mode="json") for one in found.predicates] == [flag]
    assert (found.truncated, found.texts_checked, found.texts_version) == (False, False, None)
    assert (few.predicates, few.truncated) == ((), True)


def test_pages_of_checks_join_to_the_whole(beach: Engine) -> None:
    """A fan of parts, each above all that are below it; pages end between parts, and in one."""
    key = EntityKey("fan")
    image = ImageRef(sha256="0" * 64, width=100, height=140, source="fan.png")
    parts = [
        Entity(
            key=EntityKey(f"fan/{n:02}"), label="Part", name=f"{n}",
            part=ImagePart(parent=key, image=image.sha256, box_xyxy=(0, 10 * n, 9, 10 * n + 9)),
        )
        for n in range(14)
    ]  # fmt: skip
    with beach.store.transaction() as writer:
        writer.upsert_entities([Entity(key=key, label="Fan", name="F", images=(image,)), *parts])
        writer.upsert_edges(
            Edge(head=key, relation="has_part", tail=one.key, provenance=SAID) for one in parts
        )
        said = [(low, high) for low in parts for high in parts if low.key > high.key]
        writer.upsert_edges(
            Edge(head=low.key, relation="above", tail=high.key, provenance=SAID)
            for low, high in said
        )
    whole = checks_of(beach, key)
    assert (len(whole.predicates), whole.next) == (len(said), None) == (91, None)
    for limit, most_edges in ((1, 100), (4, 100), (100, 2), (2, 3), (100, 45), (12, 60)):
        pages = [checks_of(beach, key, limit=limit, most_edges=most_edges)]
        while pages[-1].next is not None:
            pages.append(
                checks_of(beach, key, limit=limit, most_edges=most_edges, after=pages[-1].next)
            )
        assert [flag for page in pages for flag in page.predicates] == list(whole.predicates)
        assert len(pages) > 1
    with TestClient(create_app(beach), base_url=ADDRESS) as client:
        page, flags = client.get(f"/v1/checks/{key}", params={"limit": 5}), 0
        while "next" in page.links:
            flags += len(page.json()["predicates"])
            page = client.get(page.links["next"]["url"])
        assert flags + len(page.json()["predicates"]) == len(said)
        for cursor in ("junk", cursor_of(["a", "b"])):
            answer = client.get(f"/v1/checks/{key}", params={"after": cursor})
            assert "`next`" in problem(answer, "input-error", 400)["hint"]


def test_a_gap_is_judged_by_the_size_of_the_picture(tmp_path: Path) -> None:
    names = {"objects": ["person", "hat"], "predicates": ["wear"]}
    (tmp_path / "vocabulary.json").write_text(json.dumps(names))
    said = {"boxes_xyxy": [[5, 20, 9, 28], [5, 12, 9, 17]], "labels": [0, 1]}
    rows = [{"image": f"{side}.png", **said, "triplets": [[0, 0, 1]]} for side in (28, 200)]
    (tmp_path / "said.jsonl").write_text("\n".join(map(json.dumps, rows)))
    for side in (28, 200):
        Image.new("RGB", (20, side)).save(tmp_path / f"{side}.png")
    engine = Engine(Workspace(tmp_path / "graph"), store=MemoryStore())
    task = AnnotationImport(
        annotations=tmp_path / "said.jsonl",
        vocabulary=tmp_path / "vocabulary.json",
        images=tmp_path,
    )
    import_annotations(engine, task)
    (flag,) = check_scenes(engine)
    assert (flag["entity"], flag["predicate"]) == ("image:28.png", "wear")


@pytest.fixture(scope="module")
def flags(tmp_path_factory: pytest.TempPathFactory) -> tuple[Engine, Path]:
    """Sixty flags of two bands with their texts; the text of p7, which is blue, says red."""
    folder = tmp_path_factory.mktemp("flags")
    engine = Engine(
        Workspace(folder / "graph"), settings=Settings(image_encoder="tiny"), store=MemoryStore()
    )
    pictures = [two_bands(n, red=n % 2 == 0) for n in range(60)]
    pictures[7] = two_bands(7, red=False, text="two vertical bands of red and white")
    seen = []
    with engine.store.transaction() as writer:
        writer.upsert_entities(
            [Entity(key=EntityKey(f"flag:{p.key}"), label="Flag", name=p.key) for p in pictures]
        )
    for picture in pictures:
        png = io.BytesIO()
        Image.fromarray(picture.image).save(png, "PNG")
        scene = Scene(width=36, height=24, regions=picture.regions)
        sha = engine.images.add(png.getvalue()).sha256
        seen.append(SeenImage(parent=EntityKey(f"flag:{picture.key}"), image=sha, scene=scene))
    write_scenes(engine.store, seen, job=None, model="scenes-x")
    rows = [{"entity_id": p.key, "description": p.text} for p in pictures]
    (folder / "texts.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return engine, folder / "texts.jsonl"


def test_a_planted_conflict_of_text_and_picture_is_flagged_both_ways_and_nothing_else(
    flags: tuple[Engine, Path],
) -> None:
    engine, texts = flags
    version = engine.store.version
    rows = check_scenes(engine, descriptions=texts, key="flag:{entity_id}")
    assert [(one["entity"], one["claim"], one["text"], one["picture"]) for one in rows] == [
        ("flag:p7", "red", "names", "refuted"),
        ("flag:p7", "blue", "silent", "supported"),
    ]
    red = TextFlagOut.model_validate(rows[0])
    assert red.description == "two vertical bands of red and white"
    assert [vote.witness for vote in red.votes] == ["plain parts", "pixels"]
    for vote in red.votes:
        assert vote.refutes_below is not None
        assert vote.log_odds < vote.refutes_below
    assert engine.store.version == version
    found = checks_of(engine, "flag:p7")
    assert [one.model_dump(mode="json") for one in found.texts] == rows
    assert (found.texts_checked, found.texts_version) == (True, version)
    other = checks_of(engine, "flag:p8")
    assert (other.texts, other.texts_checked) == ((), True)


def test_a_file_that_is_no_report_is_named(beach: Engine) -> None:
    (flag,) = check_scenes(beach)
    path = beach.workspace.checks
    path.parent.mkdir(parents=True)
    path.write_text('{"format": 1, "version": 3, "flags": [1]}')
    with pytest.raises(ForeignFileError, match="checks of texts") as error:
        checks_of(beach, flag["entity"])
    assert error.value.where == str(path)
