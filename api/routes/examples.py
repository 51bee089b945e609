"""Examples that stand in OpenAPI; a test sends each of them to a small graph of the world."""

from __future__ import annotations

from typing import Any

__all__ = [
    "ABSENCES",
    "CRESCENT_QUESTION",
    "CYPHER",
    "DECISIONS",
    "ENTITY_KEYS",
    "JOB",
    "JOBS",
    "QUESTIONS",
    "RECONCILED",
    "SEARCHES",
    "SHEETS",
    "TABLE",
    "TEXTS",
    "WITHIN",
    "shown",
]

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
    "sparql": {
        "summary": "In SPARQL: how many countries speak Arabic",
        "value": {
            "query": (
                "SELECT (COUNT(DISTINCT ?c) AS ?n) "
                "{ ?c a label:Country ; relation:speaks entity:language:ara }"
            )
        },
    },
    "what if": {
        "summary": "What if Greece spoke Arabic, and Syria did not",
        "value": {
            "query": "MATCH (c:Country)-[:speaks]->(:Language {key: 'language:ara'}) RETURN c",
            "assume": [["Greece", "speaks", "language:ara"]],
            "without": [["country:SY", "speaks", "language:ara"]],
            "k": 5,
        },
    },
}

ABSENCES: dict[str, Any] = {
    "language": {
        "summary": "Why Greece is not among the countries where Arabic is spoken",
        "value": {
            "query": "MATCH (c:Country)-[:speaks]->(:Language {key: 'language:ara'}) RETURN c",
            "entity": "Greece",
        },
    },
}

TEXTS: dict[str, Any] = {
    "report": {
        "summary": "A sentence that names two countries",
        "value": {"text": "Ships from Turkey reached Tunisia last week.", "name": "report"},
    },
}

DECISIONS: dict[str, Any] = {
    "accept": {
        "summary": "The linker is right",
        "value": {"kind": "accept", "case": "0123456789abcdef", "who": "ada", "id": "monday-1"},
    },
    "merge": {
        "summary": "Two entities are one",
        "value": {
            "kind": "merge",
            "entity": "country:TR",
            "keys": ["country:GR"],
            "who": "ada",
        },
    },
    "undo": {"summary": "Take the last decision back", "value": {"kind": "undo", "who": "ada"}},
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
    "part": {"summary": "A part of its flag", "value": "part:country:TR/0"},
}

SHEETS: dict[str, Any] = {
    "two": {"summary": "Two flags beside each other", "value": ["country:TR", "country:AZ"]},
}

RECONCILED: dict[str, Any] = {
    "rows": {
        "summary": "Two rows of a table",
        "value": '{"q0": {"query": "Turkey", "type": "Country"}, "q1": {"query": "Arabic"}}',
    },
}

SEARCHES: dict[str, Any] = {
    "name": {"summary": "A name, without its accents or with a letter wrong", "value": "turkei"},
    "part": {"summary": "What a flag shows", "value": "white crescent"},
}

WITHIN: dict[str, Any] = {
    "language": {
        "summary": "Only countries where Arabic is spoken",
        "value": '{"relation": "speaks", "of": {"anchor": "language:ara"}, "inverse": true}',
    },
}

JOBS: dict[str, Any] = {
    "link": {
        "summary": "Link mentions to entities",
        "value": {
            "kind": "link",
            "parameters": {
                "mentions": [
                    {"id": "m1", "mention": "Turkish", "context": "the Turkish coast"},
                    {"id": "m2", "mention": "Syrian Arab Republic", "context": ""},
                ]
            },
        },
    },
    "import": {
        "summary": "Add a graph to the graph",
        "value": {
            "kind": "import",
            "parameters": {
                "format": "turtle",
                "text": "@prefix e: <http://example.org/> . e:Narnia e:borders e:Archenland .",
            },
        },
    },
    "scenes": {
        "summary": "Take the images of all countries apart",
        "value": {"kind": "scenes", "parameters": {"label": "Country"}},
    },
    "train": {
        "summary": "Train the model that answers",
        "value": {"kind": "train", "parameters": {"model": "symbolic", "seed": 0}},
    },
    "evaluate": {
        "summary": "How well are borders found that are held out?",
        "value": {
            "kind": "evaluate",
            "parameters": {"relations": ["borders"], "undirected": ["borders"], "share": 0.1},
        },
    },
}


def shown(example: dict[str, Any], status: int = 200) -> dict[int | str, dict[str, Any]]:
    """Return a response example as a route's `responses` takes it."""
    return {status: {"content": {"application/json": {"example": example}}}}


TABLE: dict[str, Any] = {
    "columns": ["name", "n"],
    "rows": [["China", 16], ["Russia", 14]],
    "truncated": False,
}

JOB: dict[str, Any] = {
    "id": "5f0c6d2a9b3e4417",
    "kind": "link",
    "state": "running",
    "done": 500,
    "total": 2000,
    "unit": "records",
    "counts": {},
    "error": None,
    "output": None,
}
