"""Examples of answers that stand in OpenAPI; a test compares them with those of a small graph."""

from __future__ import annotations

from typing import Any

__all__ = ["ANSWERS", "WHY_NOT"]

_RECORD: dict[str, Any] = {
    "kind": "asserted",
    "source": "countries.jsonl.gz",
    "locator": "row 225",
    "text": None,
    "job": None,
    "model": None,
    "probability": 1.0,
}

_EDGE: dict[str, Any] = {
    "head": "country:SY",
    "head_name": "Syria",
    "relation": "speaks",
    "tail": "language:ara",
    "tail_name": "Arabic",
    "status": "known",
    "probability": 1.0,
    "records": [_RECORD],
    "reasons": [],
}


def _node(
    kind: str, variable: int | None, entity: str, name: str, truth: float = 1.0
) -> dict[str, Any]:
    return {
        "kind": kind,
        "variable": variable,
        "entity": entity,
        "name": name,
        "truth": truth,
        "text": None,
        "edge": None,
        "branches": [],
    }


ANSWERS: dict[str, Any] = {
    "query": {
        "all": [
            {"relation": "speaks", "of": {"anchor": "language:ara"}, "inverse": True},
            {"label": "Country"},
        ]
    },
    "text": "MATCH (c:Country)-[:speaks]->(:Language {key: 'language:ara'}) RETURN c",
    "structure": None,
    "answerer": "symbolic",
    "snapshot": "f42f1927bf0242cbe3d2b8add2ec5b683b79cbaa99bdfa1135551602987a1786",
    "answers": [
        {
            "key": "country:SY",
            "name": "Syria",
            "label": "Country",
            "status": "known",
            "probability": 1.0,
            "score": 1.0,
            "region": None,
            "lower": 1.0,
            "upper": 1.0,
            "weakest": _RECORD,
            "image": None,
            "proof": {
                "edges": [_EDGE],
                "facts": ["Syria is a Country"],
                "probability": 1.0,
                "parts": [],
                "tree": {
                    **_node("intersection", 0, "country:SY", "Syria"),
                    "branches": [
                        {
                            **_node("projection", 0, "country:SY", "Syria"),
                            "edge": _EDGE,
                            "branches": [_node("anchor", None, "language:ara", "Arabic")],
                        },
                        {
                            **_node("fact", 0, "country:SY", "Syria"),
                            "text": "Syria is a Country",
                        },
                    ],
                },
            },
        }
    ],
    "total_known": 1,
    "next": None,
    "bound": None,
    "changes": None,
    "count": None,
    "rows": None,
    "warnings": [],
}

_GAP: dict[str, Any] = {
    "head": "country:GR",
    "head_name": "Greece",
    "relation": "speaks",
    "tail": "language:ara",
    "tail_name": "Arabic",
    "status": "absent",
    "probability": 0.0,
    "records": [],
    "reasons": [],
}

_LINK: dict[str, Any] = {"kind": "edge", "text": "Greece -[speaks]-> Arabic", "truth": 0.0}

WHY_NOT: dict[str, Any] = {
    "key": "country:GR",
    "name": "Greece",
    "truth": 0.0,
    "better": 4,
    "weakest": _LINK,
    "needed": [_LINK],
    "proof": {
        "edges": [_GAP],
        "facts": ["Greece is a Country"],
        "probability": 0.0,
        "parts": [],
        "tree": {
            **_node("intersection", 0, "country:GR", "Greece", 0.0),
            "branches": [
                {
                    **_node("projection", 0, "country:GR", "Greece", 0.0),
                    "edge": _GAP,
                    "branches": [_node("anchor", None, "language:ara", "Arabic")],
                },
                {**_node("fact", 0, "country:GR", "Greece"), "text": "Greece is a Country"},
            ],
        },
    },
}
