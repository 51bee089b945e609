"""Label Studio's tasks and SSSOM's mappings: a round trip brings every decision back."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.backends.memory import MemoryStore
from kg.errors import EngineError, InputError, RecordError
from kg.formats.records import Reject
from kg.model import EntityKey
from linkers.review import Request, Review
from linkers.review.exchange import Told, take_told
from linkers.review.label_studio import CONFIG, NIL, read_tasks, write_tasks
from linkers.review.model import Case, pair_hash
from linkers.review.sssom import _curie, _key_of, read_sssom, write_sssom
from linkers.review.training_pairs import write_pairs
from tests.linkers.review_world import case, content, fill, key

AT = "2026-11-29T00:00:00+00:00"
PAIR = Case(
    id=pair_hash(key("CL"), key("BO")), pair=(key("CL"), key("BO")), probability=0.4,
    reason="alike",
)  # fmt: skip


@pytest.fixture
def review(tmp_path: Path) -> Review:
    """Decisions of every kind that can leave, and one open case."""
    found = Review(fill(MemoryStore()), tmp_path / "log.jsonl", now=lambda: AT)
    odd = case(5, 'a "b"\tc\nd', "PE", "CL")
    found.add([case(1), case(2), case(3), case(4, "Tawantinsuyu"), odd, case(6), PAIR])
    found.decide(Request(kind="accept", case=case(1).id, who="ada@example.org"))
    found.decide(Request(kind="other", case=case(2).id, entity=key("BO"), who="bob"))
    found.decide(Request(kind="reject", case=case(3).id, who="bob", comment="a ship"))
    found.decide(
        Request(kind="new", case=case(4, "Tawantinsuyu").id, key=key("T 1"), name="T", who="bob")
    )
    found.decide(Request(kind="other", case=odd.id, entity=key("CL"), who="bob"))
    found.decide(Request(kind="reject", case=PAIR.id, who="bob"))
    found.decide(Request(kind="merge", entity=key("PE"), keys=(key("PE2"),), who="ada"))
    return found


def name_of(review: Review) -> Callable[[EntityKey], str | None]:
    def named(entity: EntityKey) -> str | None:
        row = review._graph.entity(entity)
        return None if row is None else row.name

    return named


def write(review: Review, kind: str, path: Path) -> int:
    writer = write_tasks if kind == "label-studio" else write_sssom
    return writer(review, path, names=name_of(review))


def read(kind: str, path: Path) -> list[Told | Reject]:
    reader = read_tasks if kind == "label-studio" else read_sssom
    return list(reader(path, who="nobody"))


def said(review: Review) -> set[tuple[Any, ...]]:
    """What holds: case, meaning, person, time."""
    return {
        (mention.id, meant, decision.request.who, decision.at)
        for mention, meant, decision in review.meanings()
    }


@pytest.mark.parametrize("kind", ["label-studio", "sssom"])
def test_a_round_trip_brings_every_decision_back(review: Review, kind: str, tmp_path: Path) -> None:
    file = tmp_path / "out"
    assert write(review, kind, file) == {"label-studio": 6, "sssom": 8}[kind]
    told = read(kind, file)
    assert not [row for row in told if isinstance(row, Reject)]
    # the same review: everything holds already
    assert not any(take_told(review, row) for row in told if isinstance(row, Told))
    # another review of the graph as it was, with the new entity in it
    fresh = fill(MemoryStore())
    made = review._graph.entity(key("T 1"))
    assert made is not None
    fresh.upsert_entities([made])
    other = Review(fresh, tmp_path / "fresh.jsonl")
    taken = [take_told(other, row) for row in told if isinstance(row, Told)]
    assert taken == [True] * {"label-studio": 5, "sssom": 7}[kind]
    assert said(other) == said(review)
    if kind == "sssom":
        assert content(fresh)[1] == content(review._graph)[1]
        assert other.kept(key("PE2")) == key("PE")
        assert other.answers[PAIR.id].request.kind == "reject"
        assert {d.request.comment for d in other.decisions} == {None, "a ship"}


def test_tasks_are_what_label_studio_shows(review: Review, tmp_path: Path) -> None:
    write(review, "label-studio", tmp_path / "tasks.json")
    tasks = json.loads((tmp_path / "tasks.json").read_text("utf-8"))
    assert "annotations" not in tasks[0]  # open ones first
    names = set(re.findall(r'name="(\w+)"', CONFIG))
    values = set(re.findall(r'value="\$(\w+)"', CONFIG))
    for task in tasks:
        assert values <= set(task["data"])
        for made in (*task["predictions"], *task.get("annotations", ())):
            for result in made["result"]:
                assert result["from_name"] in names
                assert result["to_name"] == "text"
                value = result["value"]
                if result["type"] != "textarea":  # whose text is the answer
                    words = task["data"]["text"][value["start"] : value["end"]]
                    assert words == value["text"]
                for choice in value.get("choices", ()):
                    assert choice in [c["value"] for c in task["data"]["candidates"]]
    first = {task["data"]["case"]: task for task in tasks}[case(1).id]
    assert first["annotations"][0]["result"][1]["value"]["choices"] == [key("PE")]
    assert first["data"]["candidates"][-1]["value"] == NIL


def test_mappings_are_a_table_with_metadata(review: Review, tmp_path: Path) -> None:
    path = tmp_path / "mappings.tsv"
    licence = "https://creativecommons.org/publicdomain/zero/1.0/"
    write_sssom(review, path, names=name_of(review), licence=licence)
    lines = path.read_text("utf-8").splitlines()
    head = [line for line in lines if line.startswith("#")]
    assert head[0] == "#curie_map:"
    prefixes = {m[1] for line in head if (m := re.match(r'#  (\w+): "\S+"$', line))}
    assert f'#license: "{licence}"' in head
    assert any(line.startswith('#mapping_set_id: "urn:') for line in head)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader((line for line in file if line[0] != "#"), delimiter="\t"))
    for row in rows:
        for name in ("subject_id", "predicate_id", "object_id", "mapping_justification"):
            assert re.fullmatch(r"\w+:\S+", row[name])
            assert row[name].split(":")[0] in prefixes
    by_subject = {row["subject_id"]: row for row in rows}
    nothing = by_subject[f"mention:{case(3).id}"]
    assert nothing["object_id"] == "sssom:NoTermFound"
    assert nothing["mapping_date"] == "2026-11-29"
    opened = by_subject[f"mention:{case(6).id}"]
    assert opened["mapping_justification"] == "semapv:CompositeMatching"
    assert float(opened["confidence"]) == pytest.approx(0.4)
    assert by_subject["country:BO"]["predicate_modifier"] == "Not"
    assert by_subject["country:PE2"]["object_id"] == "country:PE"


def test_pairs_train_a_linker(review: Review, tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    assert write_pairs(review, path, names=name_of(review)) == 5
    rows = {row["id"]: row for row in map(json.loads, path.read_text("utf-8").splitlines())}
    assert rows["m1"]["entity_id"] == key("PE")
    assert rows["m1"]["entity_name"] == "Peru"
    assert rows["m3"]["entity_id"] is None
    assert {row["who"] for row in rows.values()} == {"ada@example.org", "bob"}


@given(st.text(min_size=1, max_size=30))
def test_any_key_survives_as_a_curie(text: str) -> None:
    curie = _curie(text.encode("utf-8", "replace").decode())
    assert _key_of(curie) == text.encode("utf-8", "replace").decode()
    assert re.fullmatch(r"[\w.-]+:[\w.~%-]+", curie)


def annotated(**changes: Any) -> dict[str, Any]:
    result = {"type": "choices", "from_name": "entity", "value": {"choices": [key("CL")]}}
    task = {
        "data": {"umbra": case(1).to_json()},
        "annotations": [{"completed_by": 7, "result": [result], "was_cancelled": False}],
    }
    return {**task, **changes}


def test_annotations_of_people_are_read_as_they_export_them(tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    written = {"type": "textarea", "value": {"text": [" country:BO "]}}
    last = {"completed_by": {"email": "a@b.c"}, "created_at": AT, "result": [written]}
    cancelled = {"was_cancelled": True, "result": []}
    nothing = {"type": "choices", "value": {"choices": [NIL]}}
    tasks = [
        annotated(),
        annotated(annotations=[*annotated()["annotations"], last, cancelled]),
        annotated(annotations=[{"result": [nothing]}]),
        annotated(annotations=[{"result": []}]),
        annotated(annotations=[]),
    ]
    path.write_text(json.dumps(tasks))
    told = [row for row in read("label-studio", path) if isinstance(row, Told)]
    assert [(t.request.kind, t.request.entity, t.request.who) for t in told] == [
        ("other", key("CL"), "label-studio user 7"),
        ("other", key("BO"), "a@b.c"),
        ("reject", None, "nobody"),
    ]


def test_hostile_files_are_refused_row_by_row(tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    broken = case(1).to_json()
    tasks = [
        7,
        {"annotations": [{"result": []}]},
        annotated(data={"umbra": {**broken, "id": "0" * 16}}),
        annotated(data={"umbra": {**broken, "mention": {**broken["mention"], "context": 3}}}),
        annotated(data={"umbra": {**broken, "candidates": [3]}}),
        annotated(annotations=[{"result": [{"type": "choices", "value": {"choices": 4}}]}]),
    ]
    path.write_text(json.dumps(tasks))
    assert [type(row) for row in read("label-studio", path)] == [Reject] * len(tasks)
    for text in ("{}", "no json", "\udcff", "[" * 100_000):
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        with pytest.raises(RecordError):
            read("label-studio", path)
    head = "subject_id\tpredicate_id\tobject_id\tmapping_justification\tother\n"
    manual = "semapv:ManualMappingCuration"
    for row in (
        f"mention:1\tskos:broadMatch\ta:b\t{manual}\t",
        f"mention:1\tskos:exactMatch\ta:b\t{manual}\tno json",
        f"\tskos:exactMatch\ta:b\t{manual}\t",
        f'mention:1\tskos:exactMatch\ta:b\t{manual}\t"{{""mention"": {{""id"": 3}}}}"',
    ):
        path.write_text(head + row + "\n")
        assert [type(found) for found in read("sssom", path)] == [Reject], row
    for text in ("", "# only\n", "a\tb\n", head + "x" * 200_000 + "\n"):
        path.write_text(text)
        with pytest.raises(RecordError):
            read("sssom", path)


def test_what_contradicts_the_graph_is_refused(review: Review, tmp_path: Path) -> None:
    request = Request(kind="other", case=case(1).id, entity=key("CL"), who="eve")
    with pytest.raises(EngineError, match="decided this case"):
        take_told(review, Told(request=request))
    with pytest.raises(InputError):
        take_told(review, Told(request=Request(kind="accept", case="0" * 16, who="eve")))
    assert tmp_path
