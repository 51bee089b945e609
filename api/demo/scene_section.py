"""The section of the report on flags: labels and predicates beside their plain rivals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["scene_section"]


def scene_section(step: Mapping[str, Any]) -> dict[str, Any]:
    """Return the section made of what the scenes step found."""
    figures = step["figures"]
    labels, predicates = figures["labels"], figures["predicates"]
    return {
        "title": "Flags taken apart",
        "note": f"{step['parts']:,} parts of {step['images']} flags. The figures are those of "
        f"{figures['images']} test flags that the model never saw, against what the Factbook says "
        "they show.",
        "tables": [_labels(labels), _one_label(labels["by_label"]), _predicates(predicates)],
        "plots": [{"kind": "bars", "title": "F1", "rows": _bars(labels["by_label"])}],
    }


def _labels(labels: Mapping[str, Any]) -> dict[str, Any]:
    rivals = ("majority", "rules")
    accuracy, f1 = labels["accuracy"], labels["macro_f1"]
    rows = [["model", f"{accuracy['model']:.3f}", f"{f1['model']:.3f}", ""]]
    rows += [
        [
            name,
            f"{accuracy[name]:.3f}",
            f"{f1[name]:.3f}",
            _interval(labels[f"over_{name}"]),
        ]
        for name in rivals
    ]
    return {
        "title": "Labels of flags",
        "columns": ["", "accuracy", "macro F1", "model − this (accuracy)"],
        "rows": rows,
        "note": f"n = {labels['n']} (flag, label) pairs, ECE {labels['ece']:.3f}; rules are "
        "thresholds on shape written by hand.",
    }


def _one_label(by_label: Mapping[str, Any]) -> dict[str, Any]:
    rows = [
        [name, one["positives"], *(_number(one[key]) for key in _COLUMNS)]
        for name, one in sorted(by_label.items(), key=lambda item: -item[1]["positives"])
        if one["positives"]
    ]
    return {
        "title": "By label",
        "columns": ["label", "flags", *_COLUMNS.values()],
        "rows": rows,
        "note": "Known: parts whose label is at least 0.9 probable, as known edges need.",
    }


_COLUMNS = {
    "f1_model": "F1",
    "f1_rules": "F1 of rules",
    "precision": "precision",
    "recall": "recall",
    "precision_known": "precision, known",
    "recall_known": "recall, known",
}


def _predicates(figures: Mapping[str, Any]) -> dict[str, Any]:
    rows = []
    for k in (3, 5, 10):
        recall = figures[f"recall_at_{k}"]
        rows.append(
            [
                f"R@{k}",
                *(f"{recall[name]['recall']:.3f}" for name in ("model", "frequency_prior")),
                _interval(figures[f"over_prior_at_{k}"]),
            ]
        )
        mean = figures[f"mean_recall_at_{k}"]
        rows.append([f"mR@{k}", f"{mean['model']:.3f}", f"{mean['frequency_prior']:.3f}", ""])
    return {
        "title": "Predicates between described parts",
        "columns": ["", "model", "frequency prior", "model − prior (mean over images)"],
        "rows": rows,
        "note": f"PredCls with the graph constraint on {figures['images']} test flags, "
        f"{figures['n']} described pairs; inside, surrounds and overlaps come from exact geometry.",
    }


def _bars(by_label: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"group": name, "method": method, "value": one[key], "standard_error": 0.0}
        for name, one in sorted(by_label.items(), key=lambda item: -item[1]["positives"])
        for method, key in (("model", "f1_model"), ("rules", "f1_rules"))
        if one["positives"] >= 3
    ]


def _interval(gap: Mapping[str, Any]) -> str:
    return f"{gap['mean']:+.3f} [{gap['low']:+.3f}, {gap['high']:+.3f}]"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
