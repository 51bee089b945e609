"""`umbra ask --graph FOLDER --model DIR`: a question and a file of them, by name and by number."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from api.asked_folder import FolderEngine
from api.settings import Settings
from api.steps.train_folder import train_folder
from tests.api.command_line import Shown, umbra
from tests.reasoning.folder_world import SETTINGS, write_folder

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("asked folder")]

BORDERS = "MATCH (x)-[:borders]->({name: 'The second'}) RETURN x"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graph folder with names and numbers, and its model below."""
    place = tmp_path_factory.mktemp("asked")
    graph = write_folder(place / "world").full
    (place / "world" / "entities.txt").write_text("\n".join(reversed(graph.entities.names)))
    (place / "world" / "relations.txt").write_text("\n".join(graph.relation_names.names))
    named = {"key": "country:01", "label": "The second"}
    (place / "world" / "entities.jsonl.gz").write_bytes(gzip.compress(json.dumps(named).encode()))
    (place / "settings.json").write_text(json.dumps(SETTINGS))
    train_folder(place / "world", place / "model", settings=place / "settings.json")
    return place


@pytest.fixture
def asked(folder: Path) -> tuple[object, ...]:
    return ("--graph", folder / "world", "--model", folder / "model")


def lines_of(path: Path) -> list[tuple[str, ...]]:
    return [tuple(line.split("\t")) for line in path.read_text().splitlines()]


def test_known_answers_are_the_lines_of_the_file_and_likely_ones_say_why(
    folder: Path, asked: tuple[object, ...], capsys: Shown
) -> None:
    code, out, _ = umbra(capsys, "ask", BORDERS, *asked, "--json")
    assert code == 0
    answers = json.loads(out)["answers"]
    written = {
        (name, head)
        for name in ("train", "valid", "test")
        for head, relation, tail in lines_of(folder / "world" / f"{name}.tsv")
        if (relation, tail) == ("borders", "country:01")
    }
    known = {one["key"] for one in answers if one["status"] == "known"}
    assert known == {head for name, head in written if name == "train"}
    for one in answers:
        (edge,) = one["proof"]["edges"]
        sources = [record["source"] for record in edge["records"]]
        assert sources == (["world/train"] if one["status"] == "known" else [])
        assert edge["tail_name"] == "The second"
    assert any(one["proof"]["edges"][0]["reasons"] for one in answers if one["status"] == "likely")
    _, out, _ = umbra(capsys, "ask", BORDERS, *asked, "--known", "all", "--json")
    answers = [one for one in json.loads(out)["answers"] if one["status"] == "known"]
    told = {(one["proof"]["edges"][0]["records"][0]["source"], one["key"]) for one in answers}
    assert told == {(f"world/{name}", head) for name, head in written}


def test_entities_and_relations_are_named_by_name_key_or_number(folder: Path) -> None:
    engine = FolderEngine(folder / "world", folder / "model", settings=Settings())
    graph = engine.snapshot
    number = len(graph.entities) - 1 - graph.entity_id("country:01")
    by_name = engine.ask(BORDERS).answers
    assert len(by_name) > 2
    inverse = {"relation": "borders", "of": {"anchor": "country:01"}, "inverse": True}
    for question in (BORDERS.replace("name: 'The second'", "key: 'country:01'"), inverse):
        assert engine.ask(question).answers == by_name
    forward = {"relation": "borders", "of": {"anchor": "country:01"}}
    tuples = (f"({number}, ({graph.relation_id('borders')},))", "('country:01', ('borders',))")
    for question in tuples:
        assert engine.ask(question).answers == engine.ask(forward).answers


def test_a_file_of_questions_has_the_rows_of_each_alone(
    folder: Path, asked: tuple[object, ...], tmp_path: Path, capsys: Shown
) -> None:
    names = [name for name in write_folder(tmp_path / "same").full.entities.names if ":" in name]
    hop = "(x)-[:borders]->()-[:sells_to]->({{key: '{}'}})"
    questions = [f"MATCH {hop.format(name)} RETURN x" for name in names[:40]]
    questions[7] = "MATCH (x)-[:admires]->({key: 'country:01'}) RETURN x"
    (tmp_path / "q.txt").write_text("\n".join(questions))
    out = tmp_path / "answers.jsonl"
    code, shown, _ = umbra(
        capsys, "ask", "--batch", tmp_path / "q.txt", "--out", out, *asked, "--k", 3, "--json"
    )
    assert code == 0
    told = json.loads(shown)
    assert (told["questions"], told["rejects"]) == (39, 1)
    rejects = Path(told["rejects_file"])
    assert [json.loads(line)["line"] for line in rejects.read_text().splitlines()] == [8]
    engine = FolderEngine(folder / "world", folder / "model", settings=Settings())
    alone: list[dict[str, Any]] = []
    for line, question in enumerate(questions, start=1):
        if line != 8:
            found = engine.ask(question, k=3, proofs=False).answers
            alone += [
                {"id": str(line), "line": line, "rank": rank}
                | one.model_dump(include={"key", "name", "status", "probability", "score"})
                for rank, one in enumerate(found, start=1)
            ]
    assert len(alone) > 100
    assert [json.loads(line) for line in out.read_text().splitlines()] == alone


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--graph", "FOLDER"), "--graph needs --model DIR"),
        (("--model", "DIR"), "--model and --known need --graph"),
        (("--known", "all"), "--model and --known need --graph"),
        (("--graph", "FOLDER", "--model", "nowhere"), "no trained model"),
        (("--graph", "nowhere", "--model", "DIR"), "no graph folder 'nowhere'"),
        (("--graph", "FOLDER", "--model", "DIR", "--answerer", "cone"), "no cone model"),
        (("--graph", "FOLDER", "--model", "DIR", "--snapshot", "eval"), "--snapshot"),
        (("--graph", "OTHER", "--model", "DIR"), "trained on"),
    ],
)
def test_what_cannot_be_asked_is_said_in_a_line(
    folder: Path, tmp_path: Path, capsys: Shown, more: tuple[str, ...], said: str
) -> None:
    if "OTHER" in more:
        write_folder(tmp_path / "other", seed=1)
    places = {"FOLDER": folder / "world", "DIR": folder / "model", "OTHER": tmp_path / "other"}
    code, out, told = umbra(capsys, "ask", BORDERS, *(places.get(one, one) for one in more))
    assert code != 0
    assert out == ""
    assert said in told
    assert told.count("\n") == 1
