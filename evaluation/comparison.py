"""Two or more runs side by side: the table, the differences and their intervals.

Where the units of both runs are at hand (`evaluation.units`) an interval is that of the paired
bootstrap over them, which decides whether something is better. Else it is the unpaired one of two
standard errors (mean difference ± 1.96 · sqrt(a² + b²)), which is wider.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from numpy.typing import ArrayLike

from evaluation.results import RunResult
from evaluation.significance import stratified_bootstrap
from evaluation.units import Units
from kg.errors import InputError

__all__ = ["Cell", "Row", "as_text", "compare"]

_PRIMARY = ("mrr", "accuracy", "hits_at_1")
_Z = 1.96


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A figure of one run.

    Attributes:
        value: The figure, None where the run lacks it.
        difference: To that of the first run.
        low: Lower end of the difference's 95 % interval, where both have a standard error.
        high: Upper end.
        paired: Whether the interval is that of the paired bootstrap.
    """

    value: float | None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    paired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One metric over the runs.

    Attributes:
        split: `all`, or the split and part (`structure=2p`).
        metric: Its key.
        cells: In the order of the runs.
    """

    split: str
    metric: str
    cells: tuple[Cell, ...]


def compare(
    first: RunResult, *others: RunResult, units: Sequence[Units | None] | None = None
) -> tuple[Row, ...]:
    """Return a row for each metric of any run, in the order in which they first occur.

    Args:
        first: What the others are compared with.
        *others: Runs on the same queries, mentions or scenes.
        units: Of each run, in order, None where there are none.

    Raises:
        InputError: The runs follow different protocols, used different queries or mentions, or
            their units differ in number.
    """
    for other in others:
        if other.protocol != first.protocol:
            raise InputError(f"a {first.protocol} run is compared with a {other.protocol} run")
        for role in ("queries", "mentions", "scenes"):
            given = {run.inputs.get(role) for run in (first, other)} - {None}
            if len(given) > 1:
                raise InputError(
                    f"the runs used different {role}", hint=f"evaluate both on one file of {role}"
                )
    runs = (first, *others)
    if units is not None and len(units) != len(runs):
        raise InputError(f"units of {len(units)} runs do not fit {len(runs)} runs")
    at_hand = units or [None] * len(runs)
    rows = _rows("all", [run.metrics for run in runs], at_hand)
    parts = dict.fromkeys(
        (split, part) for run in runs for split, parts in run.by.items() for part in parts
    )
    for split, part in parts:
        tables = [run.by.get(split, {}).get(part, {}) for run in runs]
        rows.extend(_rows(f"{split}={part}", tables, at_hand))
    return tuple(rows)


def _rows(
    split: str, tables: Sequence[Mapping[str, float]], units: Sequence[Units | None]
) -> list[Row]:
    keys = dict.fromkeys(key for table in tables for key in table)
    rows = []
    for key in keys:
        if key == "n" or key.endswith("standard_error"):
            continue
        strata = [None if one is None else one.strata(f"{split} {key}") for one in units]
        cells = [_cell(key, table, tables[0]) for table in tables]
        for number, cell in enumerate(cells):
            mine, base = strata[number], strata[0]
            if number and cell.difference is not None and mine is not None and base is not None:
                cells[number] = _paired(cell, mine, base)
        rows.append(Row(split=split, metric=key, cells=tuple(cells)))
    return rows


def _paired(cell: Cell, mine: Sequence[ArrayLike], base: Sequence[ArrayLike]) -> Cell:
    if len(mine) != len(base):
        raise InputError("the runs evaluated different groups of units")
    found = stratified_bootstrap(list(zip(mine, base, strict=True)))
    return replace(cell, low=found.low, high=found.high, paired=True)


def _cell(key: str, table: Mapping[str, float], first: Mapping[str, float]) -> Cell:
    value, base = table.get(key), first.get(key)
    if value is None or base is None or table is first:
        return Cell(value=value)
    gap = value - base
    errors = [_error_of(key, one) for one in (table, first)]
    if None in errors:
        return Cell(value=value, difference=gap)
    spread = _Z * sum(error**2 for error in errors if error is not None) ** 0.5
    return Cell(value=value, difference=gap, low=gap - spread, high=gap + spread)


def _error_of(key: str, table: Mapping[str, float]) -> float | None:
    """Return the standard error of a metric; a plain one belongs to the primary metric."""
    named = table.get(f"{key}_standard_error")
    if named is not None:
        return named
    primary = next((name for name in _PRIMARY if name in table), None)
    return table.get("standard_error") if key == primary else None


def as_text(rows: Sequence[Row], names: Sequence[str]) -> str:
    """Return the rows as a table of percentages, differences to the first run behind each.

    Args:
        rows: Of `compare`.
        names: What the runs are called.
    """
    table = [["", "", *names]]
    table += [[row.split, row.metric, *map(_cell_text, row.cells)] for row in rows]
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    lines = ["  ".join(text.ljust(w) for text, w in zip(r, widths, strict=True)) for r in table]
    return "\n".join(line.rstrip() for line in lines)


def _cell_text(cell: Cell) -> str:
    if cell.value is None:
        return "-"
    text = f"{100 * cell.value:.1f}"
    if cell.difference is not None:
        text += f" {100 * cell.difference:+.1f}"
    if cell.low is not None and cell.high is not None:
        text += f" [{100 * cell.low:+.1f}, {100 * cell.high:+.1f}]"
        text += " paired" if cell.paired else ""
    return text
