"""SHACL: a graph as RDF held to shapes, by pyshacl."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kg.errors import InputError, MissingPartError, RecordError
from kg.graph_formats.protocol import Graph
from kg.interchange.triples import to_rdflib
from kg.rdf.names import name_of
from kg.schema_check import Finding
from kg.sparql.text import check

__all__ = ["check_shapes"]

SH = "http://www.w3.org/ns/shacl#"
_QUERIES = ("select", "ask", "construct", "update")


def check_shapes(graph: Graph, shapes: Path) -> Iterator[Finding]:
    """Yield what in a graph breaks shapes. The graph is held in memory as RDF.

    Args:
        graph: A store, or whatever else has entities and edges.
        shapes: A file of Turtle. Its ``owl:imports`` are not followed.

    Raises:
        MissingPartError: pyshacl is not installed.
        RecordError: The file is missing or no Turtle.
        InputError: The shapes are not well-formed, or a query in them asks another server.
    """
    try:
        import pyshacl
        import rdflib
    except ImportError as error:
        raise MissingPartError(
            "pyshacl is not installed", hint="pip install 'umbra-kg[shacl]'"
        ) from error
    rules = rdflib.Graph()
    try:
        rules.parse(shapes, format="turtle")
    except FileNotFoundError as error:
        raise RecordError("no such file", path=str(shapes)) from error
    except (SyntaxError, OSError, UnicodeDecodeError) as error:
        told = str(error).split("\n")[0][:200]
        raise RecordError(f"not Turtle: {told}", path=str(shapes)) from error
    for name in _QUERIES:
        for query in rules.objects(predicate=rdflib.URIRef(SH + name)):
            check(str(query))
    try:
        _, report, _ = pyshacl.validate(
            to_rdflib(graph),
            shacl_graph=rules,
            advanced=False,
            js=False,
            do_owl_imports=False,
            inplace=True,
        )
    except pyshacl.errors.ShapeLoadError as error:
        raise InputError(f"not a shape: {error}"[:300], where=str(shapes)) from error
    if not isinstance(report, rdflib.Graph):
        raise InputError(f"the shapes cannot be used: {report}"[:300], where=str(shapes))
    results = report.objects(predicate=rdflib.URIRef(SH + "result"))
    yield from sorted(
        (_finding(report, result) for result in results),
        key=lambda finding: (finding.where, finding.rule, finding.reason),
    )


def _finding(report: Any, result: Any) -> Finding:
    import rdflib

    def said(name: str) -> str:
        return str(report.value(result, rdflib.URIRef(SH + name)) or "")

    focus = name_of(said("focusNode"))
    path = name_of(said("resultPath"))
    component = said("sourceConstraintComponent").removeprefix(SH)
    return Finding(
        where=said("focusNode") if focus is None else focus[1],
        rule=component if path is None else f"{component} of {path[1]}",
        reason=said("resultMessage"),
    )
