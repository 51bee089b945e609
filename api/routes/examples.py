"""Examples that stand in OpenAPI; a test sends each of them to a small graph of the world."""

from __future__ import annotations

from typing import Any

__all__ = ["CRESCENT_QUESTION", "CYPHER", "ENTITY_KEYS", "JOBS", "QUESTIONS"]

CRESCENT_QUESTION = (
    "MATCH (c:Country)-[:borders]->(n:Country)-[:has_part]->(p:Part)"
    "-[:has_label]->(s:Shape {key: 'shape:crescent'})\n"
    "WHERE NOT (c)-[:speaks]->(:Language {key: 'language:ara'})\n"
    "RETURN c"
)
"""Countries that border one whose flag has a crescent and where Arabic is not spoken."""

QUESTIONS: dict[str, Any] = {
    "cypher": {
        "summary": "Bordering a flag with a crescent, Arabic not spoken",
        "value": {"query": CRESCENT_QUESTION, "k": 10},
    },
    "parameters": {
        "summary": "With a parameter, known answers only",
        "value": {
            "query": "MATCH (c:Country)-[:speaks]->(:Language {key: $language}) RETURN c",
            "parameters": {"language": "language:ara"},
            "answerer": "exact",
            "k": 5,
        },
    },
}

CYPHER: dict[str, Any] = {
    "count": {
        "summary": "Who has most neighbours",
        "value": {
            "query": (
                "MATCH (a:Country)-[:borders]->(b:Country) "
                "RETURN a.name AS name, count(b) AS n ORDER BY n DESC, name LIMIT 2"
            )
        },
    },
}

ENTITY_KEYS: dict[str, Any] = {
    "country": {"summary": "A country", "value": "country:TR"},
    "part": {"summary": "A part of its flag", "value": "part:country:TR/1"},
}

JOBS: dict[str, Any] = {
    "link": {
        "summary": "Link mentions to entities",
        "value": {
            "kind": "link",
            "parameters": {
                "mentions": [
                    {"id": "m1", "surface": "Turkish", "context": "the Turkish coast"},
                    {"id": "m2", "surface": "Syrian Arab Republic", "context": ""},
                ]
            },
        },
    },
}
