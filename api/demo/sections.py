"""The sections of the report: tables and plots made of what the steps found."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from api.demo.link_section import link_section
from api.demo.recipe import Recipe
from api.demo.scene_section import scene_section
from api.engine import Engine
from api.inspection import graph_info
from api.steps.edge_baselines import baselines
from evaluation import current_commit, this_machine

__all__ = ["assemble"]

Found = Mapping[str, Any]


def assemble(engine: Engine, recipe: Recipe, found: Found) -> dict[str, Any]:
    """Return the report of a demo: plain values that JSON can hold."""
    machine = this_machine()
    return {
        "format": 1,
        "name": recipe.name,
        "command": f"umbra demo {recipe.folder.name}",
        "commit": current_commit() or "unknown",
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {"cores": machine.cores, "memory_gb": round(machine.memory_gb), "gpu": None},
        "seed": recipe.seed,
        "sections": [
            _graph_section(engine, found),
            scene_section(found["scenes"]),
            link_section(found),
            _edge_section(found, _methods(recipe)),
        ],
        "questions": found["answers"]["questions"],
        "seconds": {name: step["seconds"] for name, step in found.items() if "seconds" in step},
    }


def _graph_section(engine: Engine, found: Found) -> dict[str, Any]:
    counts = graph_info(engine)["store"]
    entities, edges = counts["entities"], counts["edges"]
    parts = entities.get("Part", 0)
    return {
        "title": "The graph",
        "note": f"{sum(entities.values()):,} entities, {parts:,} of them parts of images, and "
        f"{sum(edges.values()):,} edges. {found['build']['rejects']} rows were rejected, "
        f"{found['scenes']['failed']} images could not be read.",
        "tables": [
            _table("Entities", ("label", "n"), sorted(entities.items())),
            _table("Edges", ("relation", "n"), sorted(edges.items())),
        ],
        "plots": [],
    }


def _methods(recipe: Recipe) -> list[str]:
    """Return answerers, then baselines, in the order in which the report shows them."""
    return [*recipe.training.evaluation, *baselines(recipe.hold_out.group_relation)]


def _edge_section(found: Found, methods: list[str]) -> dict[str, Any]:
    figures = found["answers"]["edges"]
    rows = []
    for one in figures:
        gain = one["gain"]
        rows.append(
            [one["relation"], one["n"]]
            + [f"{one['mrr'][m]:.3f} ±{one['standard_error'][m]:.3f}" for m in methods]
            + [f"{one['expected_random']:.3f}"]
            + [f"{gain['mean']:+.3f} [{gain['low']:+.3f}, {gain['high']:+.3f}]"]
            + ["yes" if gain["better"] else "not shown"]
        )
    worse = [one["relation"] for one in figures if not one["gain"]["better"]]
    bars = [
        {
            "group": one["relation"],
            "method": method,
            "value": one["mrr"][method],
            "standard_error": one["standard_error"][method],
        }
        for one in figures
        for method in methods
    ]
    calibration = found["answers"]["calibration"]
    return {
        "title": "Edges that the models never saw",
        "note": "Filtered MRR of held-out tails among the entities of the relation's range, "
        "realistic ranks. "
        + (
            f"For {', '.join(worse)} the default answerer is not shown to beat its strongest rival."
            if worse
            else "The default answerer beats its strongest rival for every relation."
        ),
        "tables": [
            _table(
                "Filtered MRR by relation",
                (
                    "relation",
                    "n",
                    *methods,
                    "random must be",
                    f"{methods[0]} − best rival",
                    "better",
                ),
                rows,
                "The gain is over the strongest of the baselines with its 95 % interval "
                "(paired bootstrap over the edges).",
            ),
            _table(
                "Calibration of likely answers",
                ("answerer", "n", "right", "ECE"),
                [
                    (name, one["n"], f"{one['base_rate']:.3f}", f"{one['ece']:.3f}")
                    for name, one in calibration.items()
                ],
                "The ten best likely tails of each (head, relation) with a held-out tail.",
            ),
        ],
        "plots": [
            {"kind": "bars", "title": "filtered MRR", "rows": bars},
            *(
                {"kind": "reliability", "title": f"{name}: likely tails", "rows": one["bins"]}
                for name, one in calibration.items()
            ),
        ],
    }


def _table(title: str, columns: Any, rows: Any, note: str = "") -> dict[str, Any]:
    return {
        "title": title,
        "columns": list(columns),
        "rows": [list(row) for row in rows],
        "note": note,
    }
