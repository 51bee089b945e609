"""A file of questions: every format, rejects with their reasons, the same bytes after a kill."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from api.engine import Engine
from api.steps.ask_batch import COLUMNS, QuestionFile, ask_file
from kg.errors import EngineError, RecordError, SettingError
from reasoning.query import Query
from reasoning.symbolic.answerer import SymbolicAnswerer
from tests.api.world import WorldEngine

BORDERS = "MATCH (c)-[:borders]->({name: 'Greece'}) RETURN c"


@pytest.fixture
def engine(world: WorldEngine) -> Engine:
    return world


def questions(folder: Path, engine: Engine) -> Path:
    path = folder / "questions.jsonl"
    whole = engine.ask(BORDERS, answerer="exact").query
    rows = [
        json.dumps({"id": "greece", "question": BORDERS}),
        BORDERS,
        "",
        json.dumps(whole),
        json.dumps({"id": 7, "question": whole}),
        "MATCH (c RETURN c",
        json.dumps({"question": 5}),
        json.dumps({"question": BORDERS.replace("borders", "admires")}),
        "\x00\xff" * 3,
        "MATCH (a)-[:borders]->(b) RETURN a, b",
        BORDERS.replace("RETURN c", "RETURN count(DISTINCT c)"),
    ]
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def read(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    if path.suffix == ".parquet":
        return parquet.read_table(path).to_pylist()
    kinds = {"line": int, "rank": int, "probability": float, "score": float}
    with path.open(encoding="utf-8", newline="") as file:
        return [
            {name: kinds.get(name, str)(value) for name, value in row.items()}
            for row in csv.DictReader(file)
        ]


def test_every_format_holds_the_same_answers(engine: Engine, tmp_path: Path) -> None:
    path = questions(tmp_path, engine)
    alone = engine.ask(BORDERS, answerer="exact", proofs=False).answers
    tables = []
    for ending in (".jsonl", ".csv", ".parquet"):
        task = QuestionFile(questions=path, out=tmp_path / f"out{ending}", answerer="exact")
        outcome = ask_file(engine, task)
        assert (outcome["questions"], outcome["rejects"]) == (4, 6)
        assert outcome["answers"] == 4 * len(alone)
        tables.append(read(task.out))
    assert tables[0] == tables[1] == tables[2]
    assert {tuple(row) for row in tables[0]} == {COLUMNS}
    assert {row["id"] for row in tables[0]} == {"greece", "2", "4", "7"}
    first = [row for row in tables[0] if row["id"] == "greece"]
    assert [(row["rank"], row["key"]) for row in first] == [
        (rank, answer.key) for rank, answer in enumerate(alone, start=1)
    ]


def test_what_cannot_be_answered_says_why_and_where(engine: Engine, tmp_path: Path) -> None:
    task = QuestionFile(
        questions=questions(tmp_path, engine), out=tmp_path / "out.jsonl", answerer="exact"
    )
    rejects = Path(ask_file(engine, task)["rejects_file"])
    found = read(rejects)
    assert [row["line"] for row in found] == [6, 7, 8, 9, 10, 11]
    assert "admires" in found[2]["reason"]
    assert "several things" in found[4]["reason"]
    assert "a number" in found[5]["reason"]
    task = QuestionFile(questions=tmp_path / "good.txt", out=task.out, answerer="exact")
    task.questions.write_text(BORDERS)
    assert not Path(ask_file(engine, task)["rejects_file"]).exists()


def test_a_job_that_was_stopped_goes_on_and_gives_the_same_bytes(
    engine: Engine, tmp_path: Path
) -> None:
    path = tmp_path / "questions.gz"
    path.write_bytes(gzip.compress((BORDERS + "\n").encode() * 9))
    settings: dict[str, Any] = {"questions": path, "answerer": "exact", "shard_lines": 2}
    seen: list[int] = []

    def stop(done: int, _total: int) -> None:
        seen.append(done)
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask_file(engine, QuestionFile(out=tmp_path / "a.jsonl", **settings), progress=stop)
    assert not (tmp_path / "a.jsonl").exists()
    again: list[int] = []
    ask_file(
        engine,
        QuestionFile(out=tmp_path / "a.jsonl", **settings),
        progress=lambda done, _: again.append(done),
    )
    assert again[0] == 4
    assert again[-1] == 9
    assert [row["line"] for row in read(tmp_path / "a.jsonl") if row["rank"] == 1] == [
        *range(1, 10)
    ]


SPEAKS = "MATCH (c:Country)-[:speaks]->(:Language {key: 'language:ara'}) RETURN c"
MIXED = [
    BORDERS,
    SPEAKS,
    f"{SPEAKS} LIMIT 1",
    "MATCH (c:Country)-[:borders]->(:Country)-[:borders]->({name: 'Armenia'}) RETURN c",
    "MATCH (c:Country)-[:borders]->({name: 'Nowhere'}) RETURN c",
    "MATCH (c:Country)-[:has_part]->(:Part) RETURN c",
    '{"not": {"anchor": "country:TR"}}',
    "MATCH (c)-[:borders]->({name: 'Turkey'}) WHERE NOT (c)-[:speaks]->({name: 'Arabic'}) RETURN c",
]


def test_questions_are_answered_together_as_one_by_one(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    answer = SymbolicAnswerer.answer

    def counted(self: SymbolicAnswerer, trees: Sequence[Query], *given: Any, **more: Any) -> Any:
        asked.append(len(trees))
        return answer(self, trees, *given, **more)

    path = tmp_path / "questions.txt"
    path.write_text("\n".join(MIXED * 5))
    monkeypatch.setattr(SymbolicAnswerer, "answer", counted)
    outcome = ask_file(engine, QuestionFile(questions=path, out=tmp_path / "out.jsonl", k=3))
    assert (outcome["questions"], outcome["rejects"]) == (30, 10)
    assert sum(asked) == 30
    assert len(asked) <= 4  # two shards, and those with a LIMIT of their own
    alone: list[dict[str, Any]] = []
    reasons: list[str] = []
    for line, question in enumerate(MIXED * 5, start=1):
        try:
            found = engine.ask(question, k=3, proofs=False).answers
        except EngineError as error:
            reasons.append(str(error))
            continue
        alone += [
            {"id": str(line), "line": line, "rank": rank}
            | one.model_dump(include={"key", "name", "status", "probability", "score"})
            for rank, one in enumerate(found, start=1)
        ]
    assert {row["status"] for row in alone} == {"known", "likely"}
    assert read(tmp_path / "out.jsonl") == alone
    assert [row["reason"] for row in read(Path(outcome["rejects_file"]))] == reasons


def test_wrong_tasks_are_refused(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="ends in none"):
        QuestionFile(questions=tmp_path / "q", out=tmp_path / "a.txt")
    with pytest.raises(SettingError, match="at least 1"):
        QuestionFile(questions=tmp_path / "q", out=tmp_path / "a.csv", k=0)
    with pytest.raises(SettingError, match="k is 5000"):
        ask_file(engine, QuestionFile(questions=tmp_path / "q", out=tmp_path / "a.csv", k=5000))
    with pytest.raises(RecordError, match="no such file"):
        ask_file(engine, QuestionFile(questions=tmp_path / "q", out=tmp_path / "a.csv"))
