"""How the command line prints: progress bars, tables, answers, JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from api.cli.terminal import visible

if TYPE_CHECKING:
    from pathlib import Path

    from api.schemas import (
        AnswersOut,
        ChangesOut,
        NumberOut,
        ProofOut,
        RowProofOut,
        TableOut,
    )
    from evaluation.results import RunResult
    from kg.attribute_types import SeenAttribute
    from kg.progress import Progress

__all__ = [
    "change_lines",
    "flattened",
    "print_answers",
    "print_estimate",
    "print_json",
    "print_number",
    "print_outcome",
    "print_result",
    "print_rows",
    "print_table",
    "print_types",
    "print_warning",
    "progress_bar",
    "progress_bars",
]

EVERY_S = 5.0
"""Seconds between lines of progress where stderr is no terminal."""


@contextmanager
def progress_bars() -> Iterator[Callable[[str, str], Progress]]:
    """Show how far work has come on stderr: bars in a terminal, else a line every 5 seconds.

    Yields:
        Given a title and a unit, opens a bar.
    """
    if not sys.stderr.isatty():
        yield _lines
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description:<34}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True)) as display:

        def opened(title: str, unit: str) -> Progress:
            task = display.add_task(title, total=None, unit=unit)
            return lambda done, total: display.update(task, completed=done, total=total or None)

        yield opened


@contextmanager
def progress_bar(title: str, unit: str = "rows") -> Iterator[Progress]:
    """Show one bar (`progress_bars`)."""
    with progress_bars() as bars:
        yield bars(title, unit)


def _lines(title: str, unit: str) -> Progress:
    last = [time.monotonic()]

    def show(done: int, total: int) -> None:
        now = time.monotonic()
        if now - last[0] >= EVERY_S:
            last[0] = now
            of_all = f" of {total}" if total else ""
            print(f"{title}: {done}{of_all} {unit}", file=sys.stderr, flush=True)

    return show


def print_warning(text: str) -> None:
    """Print what looks wrong but is no error, on stderr."""
    print(f"warning: {visible(text)}", file=sys.stderr, flush=True)


def print_json(value: Any) -> None:
    """Print a value, or a pydantic model, as JSON."""
    if hasattr(value, "model_dump"):
        value = value.model_dump(mode="json")
    print(json.dumps(value, ensure_ascii=False, indent=2))


def print_rows(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows under their column names, aligned, without ever breaking a value."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max([len(c), *(len(row[i]) for row in cells)]) for i, c in enumerate(columns)]
    print("  ".join(c.ljust(w) for c, w in zip(columns, widths, strict=True)).rstrip())
    print("  ".join("-" * w for w in widths))
    for row in cells:
        print("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip())


def print_types(attributes: Iterable[SeenAttribute]) -> None:
    """Print which attributes there are, each with how many values are of each type."""
    told = [
        (one.of, one.name, ", ".join(f"{name} {n:,}" for name, n in one.types.items()))
        for one in attributes
    ]
    print_rows(("of", "attribute", "values by type"), told)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value).replace("\n", "\\n")


def print_table(table: TableOut) -> None:
    """Print the rows of a Cypher query."""
    print_rows(table.columns, table.rows)
    if table.truncated:
        print(f"cut at {len(table.rows)} rows (--max-rows)", file=sys.stderr)


def print_answers(answers: AnswersOut, *, why: int) -> None:
    """Print answers, known ones first, with the proofs of the first `why` of each kind."""
    for warning in answers.warnings:
        print_warning(warning)
    if answers.count is not None:
        count = answers.count
        print(f"Count: {count.known} known, {count.expected_likely:.1f} more likely")
        return
    if answers.rows is not None:
        shown = [tuple(cell.name for cell in row) for row in answers.rows.rows]
        print_rows(answers.rows.columns, shown)
        print(f"{len(shown)} of {answers.rows.total} known rows")
        for row, proof in list(zip(shown, answers.rows.proofs, strict=False))[:why]:
            print(f"  {', '.join(row)}")
            _print_proof(proof)
        return
    for status, title in (("known", "Known"), ("likely", "Likely")):
        group = [answer for answer in answers.answers if answer.status == status]
        if status == "known":
            print(f"{title} ({answers.total_known})")
        else:
            print(f"{title} ({len(group)} shown)")
        for position, answer in enumerate(group):
            print(f"  {answer.probability:5.3f}  {answer.name}  [{answer.key}]")
            if answer.proof is not None and position < why:
                _print_proof(answer.proof)
    if answers.changes is not None:
        print("\n".join(change_lines(answers.changes)))


def print_number(number: NumberOut) -> None:
    """Print a number of an entity; a predicted one with its interval and what spoke for it."""
    head = f"{number.attribute} of {number.name} [{number.key}]"
    if number.status == "known":
        print(f"{head}: {number.value:.10g} (known)")
        return
    print(f"{head}: about {number.value:.6g} (predicted)")
    print(f"between {number.low:.6g} and {number.high:.6g} in {100 * number.coverage:g} % of cases")
    for reason in number.because:
        print(f"  because {reason}")


def change_lines(changes: ChangesOut) -> list[str]:
    """Return what edits change, a line each answer, under New, Gone and Moved."""
    lines = []
    for title, group in (("New", changes.new), ("Gone", changes.gone), ("Moved", changes.moved)):
        lines.append(f"{title} ({len(group)})")
        for change in group:
            before, after = (_chance(value) for value in (change.before, change.after))
            lines.append(f"  {before} -> {after}  {change.name}  [{change.key}]")
    return lines


def _chance(probability: float | None) -> str:
    return "  -  " if probability is None else f"{probability:5.3f}"


def _print_proof(proof: ProofOut | RowProofOut) -> None:
    from api.proof_texts import source_line

    marks = {"known": "=", "predicted": "~", "absent": "!"}
    for edge in proof.edges:
        arrow = f"{edge.head_name} -[{edge.relation}]-> {edge.tail_name}"
        source = ""
        if edge.records:
            source = f"  ({source_line(edge.records[0])})"
        print(f"           {marks[edge.status]} {arrow}  {edge.probability:.3f}{source}")
        for reason in edge.reasons[:2]:
            print(f"               because {reason}")
    for fact in proof.facts:
        print(f"           . {fact}")


def print_outcome(title: str, outcome: dict[str, Any], *, as_json: bool) -> None:
    """Print what a step did: its figures, one a line; a file of rejects only where there is one."""
    if as_json:
        print_json(outcome)
        return
    if outcome.get("rejects") == 0:
        outcome = {name: value for name, value in outcome.items() if name != "rejects_file"}
    for name, value in flattened(outcome):
        shown = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else value
        print(f"{title}: {name.replace('_', ' ')} {shown}")


def print_result(title: str, result: RunResult, path: Path) -> None:
    """Print the figures of an evaluation, one a line, and where its result lies."""
    figures = {name: round(value, 4) for name, value in result.metrics.items()}
    print_outcome(title, {**figures, "result": str(path)}, as_json=False)


def flattened(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Return the leaves of nested values with their names joined by spaces."""
    rows: list[tuple[str, Any]] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            rows += flattened(value, f"{prefix}{name} ")
        else:
            rows.append((f"{prefix}{name}", value))
    return rows


def print_estimate(estimate: dict[str, Any], *, as_json: bool) -> None:
    """Print what a step would cost; nothing was run."""
    print_outcome("estimate", estimate, as_json=as_json)
