"""Published figures of the field, to stand beside a run on the same queries.

Filtered MRR on BetaE's test queries, in [0, 1], from ConE (arXiv 2110.13715), GNN-QE (2205.10128),
CQD-A (2301.12313) and QTO (2212.09567). All know the training edges only. Means are the papers'
own, made before rounding. CQD-A's figures on NELL995 could not be checked and are left out.
"""

from __future__ import annotations

from collections.abc import Mapping

from kg.graph_folder import SPLITS, GraphFolder

__all__ = ["COLUMNS", "FIELD_ORDER", "published_figures"]

FIELD_ORDER = (
    *("1p", "2p", "3p", "2i", "3i", "pi", "ip", "2u", "up"),
    *("2in", "3in", "inp", "pin", "pni"),
)
"""Structures in the order of the field's tables: those without negation first."""

COLUMNS = (*FIELD_ORDER[:9], "epfo_mrr", *FIELD_ORDER[9:], "negation_mrr")
"""Columns of the field's tables: each group of structures, then its mean."""

# fmt: off
_NELL995 = {
    "ConE":   (53.1, 16.1, 13.9, 40.0, 50.8, 26.3, 17.5, 15.3, 11.3, 27.2,
                5.7,  8.1, 10.8,  3.5,  3.9,  6.4),
    "GNN-QE": (53.3, 18.9, 14.9, 42.4, 52.5, 30.8, 18.9, 15.9, 12.6, 28.9,
                9.9, 14.6, 11.4,  6.3,  6.3,  9.7),
    "QTO":    (60.7, 24.1, 21.6, 42.5, 50.6, 31.3, 26.5, 20.4, 17.9, 32.9,
               13.8, 17.9, 16.9,  9.9,  5.9, 12.9),
}
_FB15K_237 = {
    "ConE":   (41.8, 12.8, 11.0, 32.6, 47.3, 25.5, 14.0, 14.5, 10.8, 23.4,
                5.4,  8.6,  7.8,  4.0,  3.6,  5.9),
    "GNN-QE": (42.8, 14.7, 11.8, 38.3, 54.1, 31.1, 18.9, 16.2, 13.4, 26.8,
               10.0, 16.8,  9.3,  7.2,  7.8, 10.2),
    "CQD-A":  (46.7, 13.6, 11.4, 34.5, 48.3, 27.4, 20.9, 17.6, 11.4, 25.7,
               13.6, 16.8,  7.9,  8.9,  5.8, 10.7),
    "QTO":    (49.0, 21.4, 21.2, 43.1, 56.8, 38.1, 28.0, 22.7, 21.4, 33.5,
               16.8, 26.7, 15.1, 13.6,  5.4, 15.5),
}
# fmt: on
_BY_SIZES: Mapping[tuple[int, ...], tuple[str, Mapping[str, tuple[float, ...]]]] = {
    (63_361, 200, 114_213, 14_324, 14_267): ("NELL995", _NELL995),
    (14_541, 237, 272_115, 17_535, 20_466): ("FB15k-237", _FB15K_237),
}
"""By entities, relations and edges of the splits: a folder's name says nothing sure."""


def published_figures(graph: GraphFolder) -> tuple[str, Mapping[str, Mapping[str, float]]]:
    """Return the name of a known graph and, for each method, the MRR by `COLUMNS`.

    For another graph the name is empty and so are the figures.
    """
    sizes = (
        graph.full.num_entities,
        graph.full.num_relations,
        *(len(graph.edges(split)) for split in SPLITS),
    )
    name, rows = _BY_SIZES.get(sizes, ("", {}))
    return name, {
        method: {s: value / 100 for s, value in zip(COLUMNS, values, strict=True)}
        for method, values in rows.items()
    }
