"""The page of `bench.against_qto`: both methods side by side, with the intervals of differences."""

from __future__ import annotations

from collections.abc import Sequence

from evaluation import RunResult
from evaluation.comparison import Row, compare
from evaluation.units import Units
from kg.errors import InputError
from reasoning.evaluating.published import FIELD_ORDER

__all__ = ["page"]


def page(
    theirs: tuple[RunResult, Units],
    mine: tuple[RunResult, Units],
    *,
    title: str,
    queries: str,
    negation_scale: float,
) -> str:
    """Return the page; every figure comes from the results.

    Args:
        theirs: Result and units of QTO.
        mine: Result and units of the default answerer on the same queries.
        title: Name of the graph.
        queries: Which queries they are.
        negation_scale: QTO's s.
    """
    (qto, qto_units), (ours, our_units) = theirs, mine
    rows = compare(qto, ours, units=(qto_units, our_units))
    machine = ours.machine
    return f"""# The default answerer against plain QTO on {title}

`{ours.command}`, commit {ours.commit or "unknown"}, {ours.date}, {machine.cores} cores,
{machine.memory_gb:g} GiB, {machine.gpu or "no GPU"}, seed {ours.seed}. {ours.n:,} queries,
{queries} (SHA-256 {qto.inputs["queries"][:16]}…).

The same embedding, training edges known, filtered MRR × 100 by realistic rank. QTO by its own
formulas (`bench/qto.py`); its factor of negation s = {negation_scale:g} was the better of 3
and 6 on validation queries. Umbra as the model was trained. Difference: Umbra minus QTO, with the
95 % interval of the paired bootstrap over queries.

{_by_structure(rows, ours)}
## By hardness

The least number of held-out edges in a proof of an answer; queries of all structures together.

{_by_hardness(qto, ours)}"""


def _by_structure(rows: Sequence[Row], ours: RunResult) -> str:
    lines = ["|structure|queries|plain QTO|Umbra|difference|95 % interval|", "|---" * 6 + "|"]
    found = {(row.split, row.metric): row for row in rows}
    for name in FIELD_ORDER:
        row = found.get((f"structure={name}", "mrr"))
        if row is not None:
            lines.append(_line(name, f"{int(ours.by['structure'][name]['n']):,}", row))
    for metric, name in (("epfo_mrr", "mean without negation"), ("negation_mrr", "with negation")):
        row = found.get(("all", metric))
        if row is not None:
            lines.append(_line(f"**{name}**", "", row))
    return "\n".join(lines) + "\n"


def _line(name: str, count: str, row: Row) -> str:
    base, mine = row.cells
    numbers = [base.value, mine.value, mine.difference, mine.low, mine.high]
    if None in numbers:
        raise InputError(f"both methods must have the figure {row.split} {row.metric}")
    qto, ours, gap, low, high = (100 * number for number in numbers if number is not None)
    return f"|{name}|{count}|{qto:.1f}|{ours:.1f}|{gap:+.1f}|{low:+.1f} to {high:+.1f}|"


def _by_hardness(qto: RunResult, ours: RunResult) -> str:
    lines = ["|hardness|queries|plain QTO|Umbra|difference|", "|---" * 5 + "|"]
    for cost, part in ours.by["hardness"].items():
        base, mine = 100 * qto.by["hardness"][cost]["mrr"], 100 * part["mrr"]
        lines.append(f"|{cost}|{int(part['n']):,}|{base:.1f}|{mine:.1f}|{mine - base:+.1f}|")
    return "\n".join(lines) + "\n"
