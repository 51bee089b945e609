"""The section of the report on linking: by group, never one total, beside the baselines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["link_section"]


def link_section(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the section made of what the linking steps found."""
    figures, links, written = found["linker"]["figures"], found["links"], found["written"]
    states = ("linked", "nil", "review", "failed", "pending")
    linked = ", ".join(f"{links[state]:,} {state}" for state in states if links.get(state))
    edges = ", ".join(f"{n:,} {relation}" for relation, n in written["edges"].items())
    return {
        "title": "Mentions linked",
        "note": f"Of the list mentions of the whole graph: {linked}. Edges they made: {edges}."
        + _agreement(written["agreement"])
        + " Figures below are on test mentions, against a knowledge base that lacks 25 entities.",
        "tables": [_groups(figures["groups"]), _nil(figures["nil"])],
        "plots": [{"kind": "bars", "title": "H@1", "rows": _bars(figures["groups"])}],
    }


def _agreement(agreement: Mapping[str, Any]) -> str:
    checked = [(name, one) for name, one in agreement.items() if one["precision"] is not None]
    return "".join(
        f" Linked {name} against the given ones: precision {one['precision']:.3f}, "
        f"recall {one['recall']:.3f}."
        for name, one in checked
    )


def _groups(groups: Mapping[str, Any]) -> dict[str, Any]:
    names = list(dict.fromkeys(name for one in groups.values() for name in one["baselines"]))
    rows = []
    for group, one in groups.items():
        gap = one["difference"]
        ours = one["linker"]
        rows.append(
            [
                group,
                one["n"],
                f"{ours['h1']:.3f} ±{ours['standard_error']:.3f}",
                f"{ours['h1_entities']:.3f}",
                *(_first(one["baselines"].get(name)) for name in names),
                f"{gap['mean']:+.3f} [{gap['low']:+.3f}, {gap['high']:+.3f}]",
                "yes" if one["is_better"] else "not shown",
            ]
        )
    return {
        "title": "H@1 by group",
        "columns": ["group", "n", "linker", "over entities", *names, "linker − best", "better"],
        "rows": rows,
        "note": "Ties count their expected value. The gain is over the strongest baseline of the "
        "group, with its 95 % interval (paired bootstrap over mentions). The lists alone are "
        "solved by an alias table; they show nothing.",
    }


def _first(baseline: Mapping[str, float] | None) -> str:
    return "" if baseline is None else f"{baseline['h1']:.3f}"


def _nil(lines: Mapping[str, Any]) -> dict[str, Any]:
    rows = []
    for name, one in lines.items():
        for method, values in {"linker": one["linker"], **one["baselines"]}.items():
            auroc = values.get("auroc")
            rows.append(
                [
                    name,
                    f"{one['n']} ({one['nil']})",
                    method,
                    f"{values['f1']:.3f}",
                    "" if auroc is None else f"{auroc:.3f}",
                ]
            )
    return {
        "title": "NIL",
        "columns": ["beside", "mentions (NIL)", "method", "F1", "AUROC"],
        "rows": rows,
        "note": "Thresholds of the baselines were chosen on valid.",
    }


def _bars(groups: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for group, one in groups.items():
        ours = one["linker"]
        best = one["best_baseline"]
        for method, value, error in (
            ("linker", ours["h1"], ours["standard_error"]),
            ("strongest baseline", one["baselines"][best]["h1"], 0.0),
        ):
            rows.append({"group": group, "method": method, "value": value, "standard_error": error})
    return rows
