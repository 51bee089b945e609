"""The Markdown page of an evaluation: structures in the field's order, by hardness, beside others.

Every figure comes from the result; percentages, plus or minus one standard error over queries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evaluation.results import RunResult
from reasoning.evaluating.published import COLUMNS, FIELD_ORDER

__all__ = ["field_table", "in_field_order", "markdown"]

Row = Mapping[str, float]


def in_field_order(names: Sequence[str]) -> list[str]:
    """Return structures in the order of the field's tables, others behind by name."""
    known = [name for name in FIELD_ORDER if name in names]
    return known + sorted(set(names) - set(known))


def markdown(
    result: RunResult,
    *,
    title: str,
    published: Mapping[str, Row] | None = None,
    plots: Sequence[str] = (),
) -> str:
    """Return the page of a run.

    Args:
        result: Of an evaluation of queries.
        title: Heading of the page.
        published: MRR of others by structure and mean, in [0, 1].
        plots: Paths of pictures to show, from the page.
    """
    machine = result.machine
    about = (
        f"`{result.command}`, commit {result.commit or 'unknown'}, {result.date}, "
        f"{machine.cores} cores, {machine.memory_gb:g} GiB, {machine.gpu or 'no GPU'}, "
        f"seed {result.seed}. {result.n:,} queries in {result.seconds:,.0f} s, "
        f"peak memory {result.peak_memory_mb:,.0f} MiB. Protocol `{result.protocol}`."
    )
    parts = [f"# {title}\n", about + "\n"]
    parts.append("## Filtered MRR beside published figures\n" if published else "## Filtered MRR\n")
    parts.append(field_table({"Umbra": result}, published or {}))
    parts.append("## By structure\n")
    parts.append(_metric_table("structure", result.by.get("structure", {})))
    if "hardness" in result.by:
        parts.append(
            "## By hardness\n\nThe least number of edges in a proof of an answer that the answerer "
            "does not know.\n"
        )
        parts.append(_metric_table("hardness", result.by["hardness"]))
        parts.append(_hardness_table(result))
    parts += [f"![{plot.rsplit('/', 1)[-1]}]({plot})\n" for plot in plots]
    return "\n".join(parts)


def field_table(ours: Mapping[str, RunResult], published: Mapping[str, Row]) -> str:
    """Return MRR in the field's layout: published rows, ours, then our standard errors.

    Args:
        ours: Runs by name.
        published: MRR by column.
    """
    rows: dict[str, Row] = dict(published)
    used: dict[str, None] = {}
    for name, result in ours.items():
        structures = result.by.get("structure", {})
        rows[f"**{name}**"] = {
            **{s: part["mrr"] for s, part in structures.items()},
            **{m: result.metrics[m] for m in ("epfo_mrr", "negation_mrr") if m in result.metrics},
        }
        rows[f"± ({name})"] = {
            **{s: part["standard_error"] for s, part in structures.items()},
            **{
                m: result.metrics[f"{m}_standard_error"]
                for m in ("epfo_mrr", "negation_mrr")
                if m in result.metrics
            },
        }
        used |= dict.fromkeys(structures)
    others = [name for name in in_field_order(list(used)) if name not in FIELD_ORDER]
    columns = [*COLUMNS, *others]
    heads = ["**mean**" if name in ("epfo_mrr", "negation_mrr") else name for name in columns]
    lines = ["| |" + "|".join(heads) + "|", "|---" * (len(columns) + 1) + "|"]
    for name, row in rows.items():
        lines.append(f"|{name}|" + "|".join(_percent(row.get(column)) for column in columns) + "|")
    return "\n".join(lines) + "\n"


def _metric_table(split: str, parts: Mapping[str, Row]) -> str:
    columns = ("mrr", "standard_error", "hits_at_1", "hits_at_3", "hits_at_10")
    heads = (split, "queries", "MRR", "±", "Hits@1", "Hits@3", "Hits@10")
    lines = ["|" + "|".join(heads) + "|", "|---" * len(heads) + "|"]
    for name in in_field_order(list(parts)):
        cells = [_percent(parts[name].get(column)) for column in columns]
        lines.append(f"|{name}|{int(parts[name]['n']):,}|" + "|".join(cells) + "|")
    return "\n".join(lines) + "\n"


def _hardness_table(result: RunResult) -> str:
    """MRR of each structure and hardness, with the number of queries."""
    parts = result.by.get("structure_hardness", {})
    costs = sorted(result.by["hardness"])
    structures = in_field_order(list(result.by.get("structure", {})))
    lines = ["|structure|" + "|".join(costs) + "|", "|---" * (len(costs) + 1) + "|"]
    for name in structures:
        cells = []
        for cost in costs:
            part = parts.get(f"{name} {cost}")
            error = "" if part is None else f" ± {100 * part['standard_error']:.1f}"
            cells.append("" if part is None else f"{_percent(part['mrr'])}{error} ({part['n']:,})")
        lines.append(f"|{name}|" + "|".join(cells) + "|")
    return "\n".join(lines) + "\n"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"
