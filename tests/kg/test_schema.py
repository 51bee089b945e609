"""Schemas and shapes: what breaks them is found, in a graph and in an import before it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kg.backends.memory import MemoryStore
from kg.errors import EngineError, InputError, MappingError, ReadOnlyError, RecordError
from kg.importing import import_graph
from kg.ledger import Ledger
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.rdf.shapes import check_shapes
from kg.schema import load_schema
from kg.schema_check import check_graph
from tests.kg.rich_graphs import content, filled

SCHEMA = """
closed = true

[labels.City.attributes]
people = { type = "int", required = true }
area = "float"
tags = "str[]"

[labels.Country]

[relations.capital_of]
domain = ["City"]
range = ["Country"]
max_out = 1
max_in = 1
min_in = 1

[relations.near]
attributes = { km = "float" }
"""


def edge(head: str, relation: str, tail: str, **attributes: object) -> Edge:
    return Edge(
        head=EntityKey(head),
        relation=relation,
        tail=EntityKey(tail),
        attributes=attributes,
        provenance=(Provenance(kind="asserted", source="f"),),
    )


def entity(key: str, label: str, **attributes: object) -> Entity:
    return Entity(key=EntityKey(key), label=label, name=key, attributes=attributes)


GOOD = [
    entity("oslo", "City", people=5, area=4, tags=("x",)),
    entity("bergen", "City", people=3, area=1.5),
    entity("norway", "Country"),
]
FACTS = [edge("oslo", "capital_of", "norway"), edge("oslo", "near", "bergen", km=463.0)]


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    path = tmp_path / "schema.toml"
    path.write_text(SCHEMA)
    return path


def test_a_graph_that_fits_breaks_nothing(schema: Path) -> None:
    assert list(check_graph(filled(GOOD, FACTS), load_schema(schema))) == []


@pytest.mark.parametrize(
    ("rows", "facts", "rule", "reason"),
    [
        ([entity("x", "City")], [], "labels.City.attributes.people", "there is no people"),
        ([entity("x", "City", people=1.5)], [], "labels.City.attributes.people", "1.5 is not int"),
        (
            [entity("x", "City", people=True)],
            [],
            "labels.City.attributes.people",
            "True is not int",
        ),
        (
            [entity("x", "City", people=1, tags="a")],
            [],
            "labels.City.attributes.tags",
            "'a' is not",
        ),
        ([entity("x", "City", people=1, tags=(1,))], [], "labels.City.attributes.tags", "(1,) is"),
        ([entity("x", "Lake")], [], "labels", "the label Lake is not in the schema"),
        ([], [edge("oslo", "far", "bergen")], "relations", "the relation far is not in the schema"),
        ([], [edge("norway", "capital_of", "norway")], "relations.capital_of.domain", "a Country"),
        ([], [edge("bergen", "capital_of", "oslo")], "relations.capital_of.range", "a City, not"),
        ([], [edge("bergen", "capital_of", "norway")], "relations.capital_of.max_in", "than 1"),
        ([], [edge("oslo", "near", "norway", km="x")], "relations.near.attributes.km", "not float"),
        ([entity("sweden", "Country")], [], "relations.capital_of.min_in", "0 edges in, fewer"),
    ],
)
def test_what_breaks_the_schema_is_found(
    schema: Path, rows: list[Entity], facts: list[Edge], rule: str, reason: str
) -> None:
    found = list(check_graph(filled([*GOOD, *rows], [*FACTS, *facts]), load_schema(schema)))
    assert rule in {finding.rule for finding in found}
    assert reason in next(finding.reason for finding in found if finding.rule == rule)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("closed = 3", "closed: 3 is not of type bool"),
        ("[labels.X]\nsize = 1", "labels.X, size: unknown field"),
        ("[labels.X.attributes]\na = 'date'", "no type 'date'"),
        ("[relations.r]\ndomain = ['X']", r"there is no \[labels.X\]"),
        ("[relations.r]\nmax_out = -1", "less than 0"),
        ("[relations.r]\nmin_out = 1", "of which entities"),
        ("[labels", "not a schema in TOML"),
    ],
)
def test_a_wrong_schema_is_told(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "schema.toml"
    path.write_text(text)
    with pytest.raises(MappingError, match=told):
        load_schema(path)
    with pytest.raises(MappingError, match="no such schema"):
        load_schema(tmp_path / "none.toml")


def test_an_import_that_breaks_its_schema_writes_nothing_and_says_which_rows(
    schema: Path, tmp_path: Path
) -> None:
    file = tmp_path / "graph.jsonl"
    rows = [
        '{"entity": {"key": "rome", "label": "City", "name": "Rome"}}',
        '{"edge": {"head": "rome", "relation": "capital_of", "tail": "oslo"}}',
    ]
    file.write_text("\n".join(rows))
    store = filled(GOOD, [])
    before = content(store)
    options = {"rejects": tmp_path / "rejects", "schema": load_schema(schema)}
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        with pytest.raises(InputError, match="2 times a row does not fit"):
            import_graph(store, file, ledger=ledger, **options)
        assert content(store) == before
        told = [json.loads(line) for line in (tmp_path / "rejects").read_text().splitlines()]
        assert [(row["line"], row["column"]) for row in told] == [
            (1, "labels.City.attributes.people"),
            (2, "relations.capital_of.range"),
        ]
        rows[0] = rows[0].replace('"Rome"', '"Rome", "attributes": {"people": 1}')
        file.write_text(rows[0])
        assert import_graph(store, file, ledger=ledger, **options).entities == 1
    assert store.entity(EntityKey("rome")) is not None
    assert not (tmp_path / "rejects").exists()


def test_rows_of_one_thing_are_taken_together(schema: Path, tmp_path: Path) -> None:
    file = tmp_path / "graph.jsonl"
    rome = '{"entity": {"key": "rome", "label": "City", "name": "Rome", "attributes": {%s}}}'
    capital = '{"edge": {"head": "rome", "relation": "capital_of", "tail": "norway"%s}}'
    rows = [rome % "", rome % '"people": 1', rome % '"area": 2', capital % "", capital % ""]
    file.write_text("\n".join(rows))
    options = {"rejects": tmp_path / "rejects", "schema": load_schema(schema)}
    with filled(GOOD, []) as store, Ledger(tmp_path / "ledger.sqlite") as ledger:
        report = import_graph(store, file, ledger=ledger, **options)
        assert (report.rejects, len(list(store.edges()))) == (0, 1)
        file.write_text('{"entity": {"key": "oslo", "label": "City", "name": "Oslo"}}')
        assert import_graph(store, file, ledger=ledger, **options).rejects == 0  # it has people
        assert list(check_graph(store, load_schema(schema))) == []
        file.write_text(rome.replace("rome", "bari") % "")
        with pytest.raises(InputError, match="1 times a row does not fit"):
            import_graph(store, file, ledger=ledger, **options)


SHAPES = """
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix label: <urn:umbra:label:> .
@prefix attribute: <urn:umbra:attribute:> .
@prefix relation: <urn:umbra:relation:> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .

<x:City> a sh:NodeShape ;
  sh:targetClass label:City ;
  sh:property [ sh:path attribute:people ; sh:datatype xsd:integer ; sh:minCount 1 ] ;
  sh:property [ sh:path relation:capital_of ; sh:class label:Country ; sh:maxCount 1 ] .
"""


def test_shapes_find_what_breaks_them(tmp_path: Path) -> None:
    shapes = tmp_path / "shapes.ttl"
    shapes.write_text(SHAPES)
    assert list(check_shapes(filled(GOOD, FACTS), shapes)) == []
    bad = filled(
        [*GOOD, entity("x", "City"), entity("y", "City", people="many")],
        [edge("y", "capital_of", "oslo")],
    )
    assert [(found.where, found.rule) for found in check_shapes(bad, shapes)] == [
        ("x", "MinCountConstraintComponent of people"),
        ("y", "ClassConstraintComponent of capital_of"),
        ("y", "DatatypeConstraintComponent of people"),
    ]


ELSEWHERE = """
@prefix sh: <http://www.w3.org/ns/shacl#> .
<x:s> a sh:NodeShape ; sh:targetNode <x:a> ;
  sh:sparql [ sh:select "SELECT $this { SERVICE <http://127.0.0.1:9/> { $this ?p ?o } }" ] .
"""


@pytest.mark.parametrize(("text", "kind"), [("nonsense", RecordError), (ELSEWHERE, ReadOnlyError)])
def test_wrong_and_hostile_shapes_are_refused(
    tmp_path: Path, text: str, kind: type[EngineError]
) -> None:
    shapes = tmp_path / "shapes.ttl"
    shapes.write_text(text)
    with pytest.raises(kind):
        list(check_shapes(MemoryStore(), shapes))
    with pytest.raises(RecordError, match="no such file"):
        list(check_shapes(MemoryStore(), tmp_path / "none.ttl"))
