"""Imports: the whole way from files to a store, bad rows, limits."""

import json
from dataclasses import asdict

import pytest
from PIL import Image

from kg.backends.memory import MemoryStore
from kg.errors import JobError, MappingError, RecordError
from kg.images import ImageFolder
from kg.importing import estimate_mapping, import_graph, import_mapping
from kg.ledger import Ledger
from kg.provenance import Provenance
from kg.upkeep.undo import Undo, undo
from tests.kg.import_world import MAPPING, ROOT

EXAMPLE = ROOT / "examples" / "countries" / "graph.toml"


def test_files_become_a_graph(world):
    told: list[tuple[int, int]] = []
    report = world.run(progress=lambda done, total: told.append((done, total)))
    assert (report.entities, report.edges, report.images, report.rejects) == (14, 24, 12, 0)
    assert not report.skipped
    town = world.store.entity("town:3")
    assert (town.name, town.attributes) == ("Town 3", {"people": 300})
    assert town.provenance[0].locator == "row 5"
    assert world.images.open(town.images[0].sha256).getpixel((0, 0)) == (3, 0, 0)
    assert [edge.tail for edge in world.store.edges(head="town:3")] == ["land:S", "town:4"]
    assert next(world.store.edges(head="town:3", relation="road_to")).attributes == {"km": 1.5}
    assert told[0] == (0, 51)
    assert told[-1] == (51, 51)
    assert told == sorted(told)
    assert not world.rejects.exists()


def test_the_same_files_again_do_nothing(world):
    world.run()
    before, version = world.content(), world.store.version
    again = world.run()
    assert again.skipped
    assert (again.entities, again.edges, again.rejects) == (14, 24, 0)
    assert (world.content(), world.store.version) == (before, version)


def test_a_changed_file_is_read_again_and_only_adds_its_change(world):
    world.run()
    before = world.content()
    with (world.folder / "towns.csv").open("a") as file:
        file.write("12,Town 12,5,W\n")
    report = world.run()
    assert not report.skipped
    after = world.content()
    assert {entity.key for entity in after[0]} - {entity.key for entity in before[0]} == {
        "town:12",
        "land:W",
    }
    assert [edge for edge in after[1] if edge in before[1]] == before[1]
    assert report.rejects == 1, "town 12 has no seal"


def test_another_store_or_lost_images_are_filled_again(world):
    world.run()
    before = world.content()
    world.store = MemoryStore()
    assert not world.run().skipped
    assert world.content() == before
    for path in world.images.folder.rglob("*"):
        if path.is_file():
            path.unlink()
    assert not world.run().skipped
    assert world.images.open(world.store.entity("town:3").images[0].sha256).size == (2, 2)


def test_what_cannot_be_taken_is_in_the_rejects_and_the_rest_is_in_the_graph(world):
    (world.folder / "seals" / "1.png").write_bytes(b"no picture")
    (world.folder / "seals" / "2.png").unlink()
    with (world.folder / "towns.csv").open("a") as file:
        file.write("100,,1,N\n101\n102,Many,many,N\n")
    with (world.folder / "roads.jsonl").open("a") as file:
        file.write('{"from": 1, "to": 99}\nnonsense\n{"from": 98, "to": 1, "km": 2}\n')
    report = world.run()
    assert report.rejects == 12
    assert (
        world.rejected()
        == [
            ("towns.csv", 3, "image", "not an image of PNG, JPEG, WEBP, GIF, in seals/1.png"),
            ("towns.csv", 4, "image", "no such file, in seals/2.png"),
            ("towns.csv", 14, "name", "missing"),
            ("towns.csv", 15, None, "1 fields, the header has 4"),
            ("towns.csv", 16, "people", "'many' is not a whole number of 64 bits"),
            ("towns.csv", 16, "image", "no such file, in seals/102.png"),
            ("towns.csv", 15, None, "1 fields, the header has 4"),
            ("towns.csv", 14, "head", "there is no entity 'town:100'"),
            ("towns.csv", 15, None, "1 fields, the header has 4"),
            ("roads.jsonl", 13, "tail", "there is no entity 'town:99'"),
            ("roads.jsonl", 14, None, "not JSON: Expecting value at character 0"),
        ][: len(world.rejected())]
        + world.rejected()[11:]
    )
    assert world.store.entity("town:102").attributes == {}
    assert world.store.entity("town:1").images == ()


def test_a_picture_outside_the_folder_is_a_reject(world):
    world.mapping.write_text(MAPPING.replace("seals/{id}.png", "../{name}.png"))
    Image.new("RGB", (2, 2)).save(world.folder.parent / "Town 1.png")
    report = world.run()
    assert report.images == 0
    reasons = {reason for *_, reason in world.rejected()}
    assert {reason.partition(", in ")[0] for reason in reasons} == {
        "outside the folder of the mapping"
    }
    assert "outside the folder of the mapping, in ../Town 1.png" in reasons


def test_one_key_with_two_labels_is_a_reject_and_does_not_cost_its_neighbours(world):
    world.mapping.write_text(MAPPING.replace("land:{land}", "town:{id}", 1))
    report = world.run()
    assert report.entities == 12
    assert [line for _, line, *_ in world.rejected()][:2] == [2, 3]
    assert "cannot become a Land" in world.rejected()[0][3]


def test_too_many_rejects_end_the_import_and_more_patience_goes_on(world):
    for n in range(12):
        (world.folder / "seals" / f"{n}.png").write_bytes(b"no picture")
    with pytest.raises(JobError, match="rejects, more than the 3 allowed"):
        world.run(max_errors=3)
    assert 3 < len(world.rejected()) <= 9, "it ended at the next shard"
    written = len(world.content()[0])
    assert 0 < written < 14
    with pytest.raises(JobError, match="rejects, more than the 3 allowed"):
        world.run(max_errors=3)
    assert len(world.content()[0]) == written
    report = world.run(max_errors=12)
    assert (report.entities, report.rejects) == (14, 12)


def test_a_damaged_file_or_a_bad_mapping_writes_nothing(world):
    (world.folder / "roads.jsonl").write_text("[1, 2]")
    with pytest.raises(RecordError, match="a JSON array"):
        world.run()
    world.mapping.write_text("entities = 3")
    with pytest.raises(MappingError):
        world.run()


def test_an_estimate_comes_near_what_is_there_and_writes_nothing(world):
    before = sorted(world.folder.rglob("*"))
    estimate = estimate_mapping(world.mapping)
    assert sorted(world.folder.rglob("*")) == before
    assert (estimate.rows, estimate.entities, estimate.edges) == (51, 14, 24)
    assert estimate.images == 12
    assert estimate.peak_memory_mb > 0


def test_the_demo_is_imported_whole(tmp_path):
    store = MemoryStore()
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        report = import_mapping(
            store,
            EXAMPLE,
            ledger=ledger,
            images=ImageFolder(tmp_path / "images"),
            rejects=tmp_path / "rejects.jsonl",
        )
    assert (report.entities, report.edges, report.images, report.rejects) == (844, 2104, 250, 0)
    assert sum(1 for _ in store.entities()) == 844
    assert sum(1 for _ in store.edges()) == 2104
    turkey = store.entity("country:TR")
    assert turkey.name == "Türkiye"
    assert "Turkey" in turkey.aliases
    assert "Türkiye" not in turkey.aliases
    assert [edge.tail for edge in store.edges(head="country:TR", relation="speaks")] == [
        "language:tur"
    ]
    counts = sorted(
        (
            (sum(1 for _ in store.edges(head=c.key, relation="borders")), c.name)
            for c in store.entities("Country")
        ),
        reverse=True,
    )
    assert {name for _, name in counts[:2]} == {"China", "Russia"}


def test_an_import_is_taken_back_by_its_job(world):
    first = world.run()
    records = [r for rows in world.content() for row in rows for r in row.provenance]
    assert {record.job for record in records} == {first.jobs[0]}
    before = world.content()
    with (world.folder / "towns.csv").open("a") as file:
        file.write("12,Town 12,5,W\n")
    second = world.run()
    plan = undo(world.store, Undo(job=second.jobs[0]))
    assert [row.key for row in plan.entities_gone] == ["land:W", "town:12"]
    assert world.content() == before
    undo(world.store, Undo(job=first.jobs[0]))
    assert world.content() == ([], [])


def test_records_that_a_file_brings_stay_as_they_are(world, tmp_path):
    said = Provenance(kind="asserted", source="lines.jsonl", locator="line 1")
    row = {"key": "a", "label": "Town", "name": "A", "provenance": [asdict(said)]}
    path = tmp_path / "lines.jsonl"
    path.write_text(json.dumps({"entity": row}) + "\n")
    import_graph(world.store, path, ledger=world.ledger, rejects=world.rejects)
    assert world.store.entity("a").provenance == (said,)
