"""From ranks to figures: a mean over hard answers, over queries, then over structures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.ranks import mean_by_group
from evaluation.significance import standard_error
from evaluation.units import Units
from kg.errors import InputError
from reasoning.evaluating.ranking import RankedQueries

__all__ = ["HITS", "Figures", "figures_of"]

HITS = (1, 3, 10)
_METRICS = ("mrr", *(f"hits_at_{k}" for k in HITS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What `evaluation.RunResult` holds of an evaluation of queries, and the units behind it.

    Attributes:
        n: Number of queries.
        metrics: `mrr` and `hits_at_k` are means over all structures, `epfo_mrr` and `negation_mrr`
            over those without and with negation; each mrr has its standard error beside it.
        by: `structure`, `hardness` (queries of all structures together) and `structure_hardness`
            (``2p 1``), where hardness is known. A query counts in each hardness that one of its
            answers has, with these answers only.
        units: Value of each query by structure, for paired comparisons.
    """

    n: int
    metrics: Mapping[str, float]
    by: Mapping[str, Mapping[str, Mapping[str, float]]]
    units: Units


def figures_of(found: Sequence[RankedQueries]) -> Figures:
    """Average ranks into figures.

    Args:
        found: Of `evaluate_queries`; several of one structure are taken together.

    Raises:
        InputError: There is no query.
    """
    values: dict[str, dict[str, NDArray[np.float64]]] = {}
    negated: dict[str, bool] = {}
    by_hardness: dict[str, list[dict[str, NDArray[np.float64]]]] = {}
    split: dict[str, list[dict[str, NDArray[np.float64]]]] = {}
    for one in found:
        if not len(one.ranks):
            continue
        negated[one.structure] = one.negation
        values[one.structure] = _together([values.get(one.structure, {}), _values(one)])
        for cost, part in _parts_by_hardness(one):
            by_hardness.setdefault(cost, []).append(part)
            split.setdefault(f"{one.structure} {cost}", []).append(part)
    if not values:
        raise InputError("there are no queries with hard answers")
    by = {"structure": {name: _means(part) for name, part in values.items()}}
    if by_hardness:
        by["hardness"] = {c: _means(_together(by_hardness[c])) for c in sorted(by_hardness)}
        by["structure_hardness"] = {name: _means(_together(parts)) for name, parts in split.items()}
    groups = {
        "": list(values),
        "epfo_": [name for name in values if not negated[name]],
        "negation_": [name for name in values if negated[name]],
    }
    return Figures(
        n=sum(len(part["mrr"]) for part in values.values()),
        metrics=_totals(by["structure"], groups),
        by=by,
        units=Units(
            values={
                f"structure={name} {metric}": part[metric]
                for name, part in values.items()
                for metric in _METRICS
            },
            totals={
                f"all {prefix}mrr": tuple(f"structure={name} mrr" for name in names)
                for prefix, names in groups.items()
                if names
            },
        ),
    )


def _values(one: RankedQueries) -> dict[str, NDArray[np.float64]]:
    """Return the value of each query that has a hard answer."""
    found = {"mrr": mean_by_group(1.0 / one.ranks, one.queries)[1]}
    for k in HITS:
        hit = (one.ranks <= k).astype(np.float64)
        found[f"hits_at_{k}"] = mean_by_group(hit, one.queries)[1]
    return found


def _parts_by_hardness(one: RankedQueries) -> list[tuple[str, dict[str, NDArray[np.float64]]]]:
    if one.hardness is None:
        return []
    parts = []
    for cost in np.unique(one.hardness):
        keep = one.hardness == cost
        part = RankedQueries(
            structure=one.structure,
            negation=one.negation,
            num_queries=one.num_queries,
            queries=one.queries[keep],
            ranks=one.ranks[keep],
        )
        parts.append((str(cost) if cost >= 0 else "not provable", _values(part)))
    return parts


def _together(
    parts: Sequence[Mapping[str, NDArray[np.float64]]],
) -> dict[str, NDArray[np.float64]]:
    return {m: np.concatenate([part[m] for part in parts if part]) for m in _METRICS}


def _means(values: Mapping[str, NDArray[np.float64]]) -> dict[str, float]:
    means = {name: float(values[name].mean()) for name in _METRICS}
    return {"n": len(values["mrr"]), **means, "standard_error": standard_error(values["mrr"])}


def _totals(
    structures: Mapping[str, Mapping[str, float]], groups: Mapping[str, Sequence[str]]
) -> dict[str, float]:
    found: dict[str, float] = {}
    for prefix, names in groups.items():
        if not names:
            continue
        for metric in _METRICS if not prefix else _METRICS[:1]:
            found[prefix + metric] = float(np.mean([structures[n][metric] for n in names]))
        errors = np.array([structures[n]["standard_error"] for n in names])
        found[f"{prefix}mrr_standard_error"] = float(np.sqrt((errors**2).sum()) / len(names))
    return found
