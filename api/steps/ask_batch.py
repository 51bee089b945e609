"""The step that answers a file of questions as a resumable job: Parquet, CSV or JSON lines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kg.errors import EngineError, InputError, JobError, SettingError
from kg.files import atomic_write, sha256_of_file
from kg.formats.records import MAX_LINE_BYTES, Reject, count_lines, lines, readable
from kg.jobs import Shard, ShardResult
from kg.progress import Progress, silent

if TYPE_CHECKING:
    from api.asking_together import Outcome
    from api.engine import AnswererName, Engine
    from reasoning.answers import Answer

__all__ = ["COLUMNS", "QuestionFile", "ask_file"]

COLUMNS = ("id", "line", "rank", "key", "name", "status", "probability", "score")
"""Of the output: a row for each answer; a question without answers has none."""

ENDINGS = (".jsonl", ".csv", ".parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionFile:
    """Questions to answer.

    Attributes:
        questions: One a line, plain or gzip: a text of any notation, a query in JSON, or
            ``{"id": …, "question": text or query}``. Without an id the line's number is it.
        out: Where the answers go; ends in one of `ENDINGS`.
        k: Most answers of each kind, known and likely.
        answerer: Who answers.
        shard_lines: Lines a shard, at least 1: what a kill can cost.

    Raises:
        SettingError: A field is out of range.
    """

    questions: Path
    out: Path
    k: int = 10
    answerer: AnswererName = "symbolic"
    shard_lines: int = 20

    def __post_init__(self) -> None:
        """Refuse what cannot be done before any question is read."""
        if self.out.suffix not in ENDINGS:
            raise SettingError(f"{self.out.name} ends in none of {', '.join(ENDINGS)}")
        if self.k < 1 or self.shard_lines < 1:
            raise SettingError("k and shard_lines must be at least 1")


def ask_file(engine: Engine, task: QuestionFile, *, progress: Progress = silent) -> dict[str, Any]:
    """Answer every question of a file; a job that was killed goes on where it was.

    A question that cannot be answered is a reject with its line and reason, and the others are
    answered.

    Args:
        engine: Opened on the snapshot to ask.
        task: The questions.
        progress: Is told lines done of all lines.

    Returns:
        Numbers of answered questions, answers and rejects; output, file of rejects, job.

    Raises:
        RecordError: The file is missing or damaged.
        SettingError: More answers are asked for than the settings allow.
        MissingPartError: There is no snapshot.
        JobError: The job did not end.
    """
    from api.asking import check_k
    from kg.job_runner import run_job
    from kg.ledger import Ledger

    check_k(engine, task.k)
    total = count_lines(task.questions)
    firsts = range(1, total + 1, task.shard_lines)
    shards = [{"first": a, "last": min(a + task.shard_lines - 1, total)} for a in firsts]
    answerer, _ = engine.answerer(task.answerer)
    parameters = {
        "questions": sha256_of_file(task.questions),
        "snapshot": engine.snapshot.hash,
        "model": getattr(getattr(answerer, "predictor", None), "fingerprint", ""),
        "answerer": task.answerer,
        "k": task.k,
        "shard_lines": task.shard_lines,
    }
    rejects = engine.workspace.rejects / f"{task.questions.name}.rejects.jsonl"
    with Ledger(engine.workspace.ledger) as ledger:
        sizes = [shard["last"] - shard["first"] + 1 for shard in shards]
        job = ledger.submit("ask", parameters, shards, sizes=sizes)
        if job.state == "failed":
            ledger.retry(job.id)
        ended = run_job(ledger, job.id, _ShardAnswerer(engine, task), progress=progress)
        if ended.state != "done":
            raise JobError(ended.error or f"the job is {ended.state}", where=job.id)
        outputs = (ledger.output(shard) for shard in ledger.shards(job.id))
        _write(outputs, task.out, rejects)
    counts = {name: ended.counts.get(name, 0) for name in ("questions", "answers", "rejects")}
    return {**counts, "job": job.id, "output": str(task.out), "rejects_file": str(rejects)}


class _ShardAnswerer:
    """The pure function of the job; reads the file once while shards come in order."""

    def __init__(self, engine: Engine, task: QuestionFile) -> None:
        self._engine, self._task = engine, task
        self._rows = _lines(task.questions)
        self._place = 0

    def __call__(self, shard: Shard) -> ShardResult:
        """Answer the questions of one shard, together."""
        found: list[dict[str, Any]] = []
        counts: Counter[str] = Counter()
        first, last = int(shard.parameters["first"]), int(shard.parameters["last"])
        lines_read = [_Line.of(*row) for row in self._between(first, last)]
        asked = [one for one in lines_read if one is not None]
        for one, answers in zip(asked, self._outcomes(asked), strict=True):
            if isinstance(answers, EngineError):
                found.append({"reject": json.loads(self._reject(one, answers).to_json())})
                counts["rejects"] += 1
            else:
                found += self._rows_of(one, answers)
                counts["questions"] += 1
                counts["answers"] += len(answers)
        output = b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in found)
        return ShardResult(output=output, counts=counts)

    def _between(self, first: int, last: int) -> Iterator[tuple[int, bytes | None]]:
        if self._place >= first:
            self._rows, self._place = _lines(self._task.questions), 0
        while self._place < last and (row := next(self._rows, None)) is not None:
            self._place = row[0]
            if self._place >= first:
                yield row

    def _outcomes(self, asked: Sequence[_Line]) -> list[Outcome]:
        from api.asking_together import answer_together

        task = self._task
        questions = [one.question for one in asked if not isinstance(one.question, EngineError)]
        answers = iter(answer_together(self._engine, questions, k=task.k, answerer=task.answerer))
        return [
            one.question if isinstance(one.question, EngineError) else next(answers)
            for one in asked
        ]

    def _reject(self, line: _Line, error: EngineError) -> Reject:
        name = self._task.questions.name
        return Reject(file=name, line=line.number, column=None, reason=str(error), text=line.text)

    def _rows_of(self, line: _Line, answers: Sequence[Answer]) -> Iterator[dict[str, Any]]:
        snapshot = self._engine.snapshot
        for rank, answer in enumerate(answers, start=1):
            yield {
                "id": line.id,
                "line": line.number,
                "rank": rank,
                "key": answer.entity,
                "name": snapshot.names[snapshot.entity_id(answer.entity)],
                "status": answer.status,
                "probability": round(answer.probability, 6),
                "score": round(answer.score, 6),
            }


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the file: its question, or why it has none."""

    number: int
    text: str
    id: str
    question: str | Mapping[str, Any] | EngineError

    @classmethod
    def of(cls, number: int, line: bytes | None) -> _Line | None:
        """Read a line; None if it is empty."""
        text = (line or b"").decode(errors="replace").strip().removeprefix("\ufeff")
        if line is None:
            why = InputError(f"a line longer than {MAX_LINE_BYTES:,} bytes")
            return cls(number, text, str(number), why)
        if not text:
            return None
        try:
            return cls(number, text, *_question(number, text))
        except InputError as error:
            return cls(number, text, str(number), error)


def _lines(path: Path) -> Iterator[tuple[int, bytes | None]]:
    with readable(path) as file:
        yield from lines(file, MAX_LINE_BYTES)


def _question(number: int, text: str) -> tuple[str, str | Mapping[str, Any]]:
    """Return the id and the question of a line."""
    if not text.startswith("{"):
        return str(number), text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return str(number), text  # the reader of queries says what is wrong, and where
    if not isinstance(value, dict) or "question" not in value:
        return str(number), text
    question = value["question"]
    if not isinstance(question, str | dict):
        raise InputError("the question is neither a text nor a query in JSON", where="question")
    return str(value.get("id", number)), question


def _write(outputs: Iterator[bytes], out: Path, rejects: Path) -> None:
    """Part the outputs of the shards into answers and rejects."""
    from api.steps.answer_tables import write_answers

    bad: list[bytes] = []

    def rows() -> Iterator[dict[str, Any]]:
        for output in outputs:
            for line in output.splitlines():
                row = json.loads(line)
                if "reject" in row:
                    bad.append(json.dumps(row["reject"], ensure_ascii=False).encode() + b"\n")
                else:
                    yield row

    write_answers(out, rows(), COLUMNS)
    if bad:
        with atomic_write(rejects) as file:
            file.writelines(bad)
    else:
        rejects.unlink(missing_ok=True)
