"""RDF that others made: what it becomes, and that broken or hostile files do no harm."""

from __future__ import annotations

import socket
from contextlib import closing, suppress
from pathlib import Path

import pytest

from kg.errors import RecordError
from kg.rdf.names import local_name
from tests.kg.rich_graphs import read_back

PEOPLE = """@prefix ex: <http://example.org/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .

ex:ada foaf:knows ex:bob, [ foaf:name "Cid" ] ;
  ex:motto "Hallo"@de, "Hello"@en-GB ;
  ex:born "1815-12-10"^^xsd:date ;
  ex:height 1.65 ; ex:tall false ; ex:lucky 7, 13 .
ex:bob a ex:Person .
ex:ada a ex:Person, ex:Writer ;
  rdfs:label "Ada Byron"@en, "Ada"@de ;
  skos:altLabel "A. A. L." .
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "people.ttl"


def test_what_turtle_says_of_a_thing_is_gathered_wherever_it_stands(file: Path) -> None:
    file.write_text(PEOPLE)
    store, rejects = read_back(file)
    assert rejects == []
    ada = store.entity("http://example.org/ada")
    assert (ada.label, ada.name) == ("Person", "Ada Byron")
    assert ada.aliases == ("Ada", "A. A. L.")
    assert ada.attributes == {
        "motto_de": "Hallo",
        "motto_en_gb": "Hello",
        "born": "1815-12-10",
        "height": 1.65,
        "tall": False,
        "lucky": (7, 13),
        "types": ("Writer",),
    }
    assert [(r.kind, r.source, r.locator) for r in ada.provenance] == [
        ("asserted", "people.ttl", "line 7")
    ]
    bob = store.entity("http://example.org/bob")
    assert (bob.label, bob.name) == ("Person", "bob")
    edges = list(store.edges(head=ada.key))
    assert {edge.relation for edge in edges} == {"knows"}
    assert {store.entity(edge.tail).name for edge in edges} == {"bob", "Cid"}


def test_a_named_graph_is_the_source_of_its_facts(tmp_path: Path) -> None:
    file = tmp_path / "a.trig"
    file.write_text("<x:news> { <x:a> <x:r> <x:b> . }\n<x:a> <x:r> <x:c> .\n")
    store, _ = read_back(file)
    assert [(e.provenance[0].source, e.provenance[0].locator) for e in store.edges()] == [
        ("x:news", "a.trig line 1"),
        ("a.trig", "line 2"),
    ]


def test_statements_about_statements_are_attributes_of_edges(file: Path) -> None:
    file.write_text("<x:a> <x:r> <x:b> {| <x:since> 1990 |} .\n")
    store, _ = read_back(file)
    assert next(store.edges()).attributes == {"since": 1990}


def test_what_no_store_can_hold_is_a_reject_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "a.nt"
    number = "http://www.w3.org/2001/XMLSchema#"
    file.write_text(
        f'<x:a> <x:n> "1"^^<{number}integer> .\n'
        f'<x:a> <x:big> "{10**30}"^^<{number}integer> .\n'
        f'<x:a> <x:nan> "NaN"^^<{number}double> .\n'
        f'<x:a> <x:odd> "maybe"^^<{number}boolean> .\n'
        "<x:a> <x:rel>\n"
        "<a> <x:r> <x:b> .\n"
        "<x:a> <x:r> <x:c> .\n"
    )
    store, rejects = read_back(file)
    assert [reject.line for reject in rejects] == [2, 3, 4, 5, 6]
    assert "not a whole number of 64 bits" in rejects[0].reason
    assert store.entity("x:a").attributes == {"n": 1}
    assert [edge.tail for edge in store.edges()] == ["x:c"]


def test_after_an_error_no_fact_is_made_up(file: Path) -> None:
    file.write_text(
        "@prefix a: <http://a/> .\n"
        "a:a a:p 1 .\n"
        "a:b a:p 2 a:x\n"  # no end of the statement: a:x a:c a:p would follow
        "a:c a:p a:q .\n"
        'a:d a:p "never closed ;\n'
        '  a:q "x" .\n'
        "a:e a:p a:f .\n"
    )
    store, rejects = read_back(file)
    assert {reject.line for reject in rejects} >= {3, 5}
    keys = {entity.key for entity in store.entities()}
    assert keys <= {f"http://a/{name}" for name in "abef"}
    assert all(edge.key == ("http://a/e", "p", "http://a/f") for edge in store.edges())


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>',
        '<!DOCTYPE r [<!ENTITY a "]><rdf:"><!ENTITY b\n "&a;&a;">]>',
        '<!DOCTYPE r [<!ENTITY a "<a"><!ENTITY b "&a;&a;">]>',
    ],
)
def test_entities_of_entities_are_refused(doctype: str, tmp_path: Path) -> None:
    file = tmp_path / "a.rdf"
    rdf = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    file.write_text(f'<?xml version="1.0"?>\n{doctype}\n<rdf:RDF {rdf}></rdf:RDF>')
    with pytest.raises(RecordError, match="entities that name entities") as caught:
        read_back(file)
    assert caught.value.path == str(file)


def test_plain_entities_files_of_the_machine_and_damage_do_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "a.rdf"
    file.write_text(
        '<!DOCTYPE rdf:RDF [<!ENTITY x "http://x/">]>\n'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:x="http://x/">\n'
        '<rdf:Description rdf:about="&x;a"><x:p>1</x:p></rdf:Description>\n'
        '<rdf:Description rdf:about="&x;b"><x:p>&e;</x:p></rdf:Description>\n'
        "</rdf:RDF>\n"
    )
    store, rejects = read_back(file)
    assert [entity.key for entity in store.entities()] == ["http://x/a"]
    assert rejects
    file.write_text('<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/hostname">]>\n<r>&e;</r>')
    assert list(read_back(file)[0].entities()) == []
    file.write_text("<a><b></a>" * 200)
    assert len(read_back(file)[1]) < 210


def test_no_address_in_a_file_is_fetched(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        server.settimeout(0.2)
        away = f"http://127.0.0.1:{server.getsockname()[1]}/c"
        file = tmp_path / "b.jsonld"
        for context in (f'"{away}"', f'[{{}}, "{away}"]', f'{{"@import": "{away}"}}'):
            file.write_text(f'{{"@context": {context}, "http://x/a": 1}}')
            with pytest.raises(RecordError):
                read_back(file)
        file = tmp_path / "c.rdf"
        file.write_text(
            f'<!DOCTYPE r SYSTEM "{away}" [<!ENTITY % e SYSTEM "{away}"> %e;]>\n'
            '<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>'
        )
        with suppress(RecordError):
            read_back(file)
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize(
    ("iri", "name"),
    [
        ("http://www.wikidata.org/prop/direct/P31", "P31"),
        ("http://a/b#", "b"),
        ("urn:x:größe-neu", "größe_neu"),
        ("http://a/%20", "x_"),
        ("http://a/" + "n" * 300, "n" * 127),
    ],
)
def test_local_names_are_names_that_a_store_takes(iri: str, name: str) -> None:
    assert local_name(iri) == name
