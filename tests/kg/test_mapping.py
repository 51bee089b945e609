"""Declared mappings: what a good one means for a row, and what is wrong with a bad one."""

import json
from pathlib import Path

import pytest

from kg.errors import MappingError
from kg.mapped_rows import edge_rows, entity_rows
from kg.mapping import load_mapping
from tests.kg.mapped_countries import (
    BORDERS,
    COUNTRY,
    ROWS,
    declared,
    edges,
    entities,
    picture,
    rejects,
)


def test_a_row_becomes_an_entity_with_all_its_parts(tmp_path):
    mapping = declared(
        tmp_path,
        COUNTRY
        + """
aliases = "also"
image = "flags/{id}.png"
[entities.attributes]
area_km2 = { path = "area", type = "float" }
latitude = "at.0"
at = { path = "at", type = "float[]" }
landlocked = "landlocked"
""",
    )
    first, second, third = entities(mapping)
    assert first.rejects == []
    entity = first.entity
    assert (entity.key, entity.label, entity.name) == ("country:AL", "Country", "Albania")
    assert entity.aliases == ("Shqipëria", "Arnavutluk")
    assert entity.attributes == {
        "area_km2": 28748.0,
        "latitude": 41,
        "at": (41.0, 20.0),
        "landlocked": False,
    }
    assert isinstance(entity.attributes["area_km2"], float)
    assert [image.source for image in entity.images] == ["flags/AL.png"]
    record = entity.provenance[0]
    assert (record.kind, record.source, record.locator) == ("asserted", "rows.jsonl", "row 1")
    # A fault in a part costs that part, not the row.
    assert second.entity.attributes == {}
    assert second.entity.images == ()
    assert rejects([second, third]) == [
        (2, "area", "'big' is not a finite number"),
        (2, "image", "no such file, in flags/GR.png"),
        (3, "id", "missing"),
    ]
    assert third.entity is None
    assert json.loads(third.rejects[0].text)["name"] == {"common": "Nowhere"}


def test_a_row_without_a_needed_field_is_passed_over_on_request(tmp_path):
    rows = entities(declared(tmp_path, COUNTRY + "skip_missing = true\n"))
    assert [row.entity.key for row in rows] == ["country:AL", "country:GR"]
    assert rejects(rows) == []


def test_each_takes_the_items_of_lists_objects_and_divided_texts(tmp_path):
    text = COUNTRY.replace("country:{id}", "{id}:{each_key}").replace("{name.common}", "{each}")
    mapping = declared(tmp_path, text + 'each = "languages"\n')
    assert [(row.entity.key, row.entity.name) for row in entities(mapping)] == [
        ("AL:sqi", "Albanian")
    ]
    mapping = declared(tmp_path, text + 'each = "also"\n')
    assert [(row.entity.key, row.entity.name) for row in entities(mapping)] == [
        ("AL:0", "Shqipëria"),
        ("AL:1", "Arnavutluk"),
    ]
    (tmp_path / "rows.csv").write_text("id,friends\n1,2; 3;\n2,\n")
    mapping = declared(
        tmp_path,
        COUNTRY
        + """
[[edges]]
file = "rows.csv"
head = "{id}"
relation = "knows"
tail = "{each}"
each = { path = "friends", separator = ";" }
""",
    )
    assert [row.edge.key for row in edges(mapping)] == [("1", "knows", "2"), ("1", "knows", "3")]


def test_edges_and_what_is_wrong_with_one(tmp_path):
    rows = edges(declared(tmp_path, COUNTRY + BORDERS))
    assert [row.edge.key for row in rows if row.edge] == [
        ("country:AL", "borders", "country:GR"),
        ("country:AL", "borders", "country:XK"),
        ("country:GR", "borders", "country:AL"),
    ]
    assert rejects(rows) == [(3, "borders", "neither a list nor an object")]
    assert rows[0].edge.provenance[0].locator == "row 1"


def test_once_takes_the_first_row_of_each_key_wherever_reading_starts(tmp_path):
    rows = [{"id": number, "of": "ab"[number % 2]} for number in range(6)]
    mapping = declared(
        tmp_path,
        """
[[entities]]
file = "rows.jsonl"
label = "Group"
key = "{of}"
name = "{of} by {id}"
once = true
""",
        rows,
    )
    assert [row.entity.name for row in entities(mapping)] == ["a by 0", "b by 1"]
    late = entity_rows(mapping.entities[0], picture, first_line=2)
    assert [row.entity.name for row in late] == ["b by 1"]
    assert list(entity_rows(mapping.entities[0], picture, first_line=3)) == []


def test_a_later_start_yields_neither_rows_nor_rejects_from_before(tmp_path):
    mapping = declared(tmp_path, COUNTRY + BORDERS, [*ROWS[2:], *ROWS[2:], *ROWS])
    late = list(entity_rows(mapping.entities[0], picture, first_line=2))
    assert [row.line for row in late] == [2, 3, 4, 5]
    late = list(edge_rows(mapping.edges[0], first_line=5))
    assert [row.line for row in late] == [5]


def test_relations_and_labels_of_rows_must_be_names(tmp_path):
    rows = [{"id": "a", "is": "Thing"}, {"id": "b", "is": "T`) DETACH DELETE n //"}]
    mapping = declared(
        tmp_path, COUNTRY.replace('"Country"', '"{is}"').replace("name.common", "id"), rows
    )
    first, second = entities(mapping)
    assert first.entity.label == "Thing"
    assert second.entity is None
    assert "cannot be a label" in second.rejects[0].reason


def test_csv_values_are_typed_by_the_mapping(tmp_path):
    (tmp_path / "rows.csv").write_text(
        "id,n,x,yes,tags\n1,7,2.5,true,a|b\n2,,,,\n3,7.5,inf,maybe,\n"
    )
    mapping = declared(
        tmp_path,
        """
[[entities]]
file = "rows.csv"
label = "Thing"
key = "{id}"
name = "{id}"
aliases = { path = "tags", separator = "|" }
[entities.attributes]
n = { path = "n", type = "int" }
x = { path = "x", type = "float" }
yes = { path = "yes", type = "bool" }
tags = { path = "tags", type = "str[]", separator = "|" }
""",
    )
    one, two, three = entities(mapping)
    assert one.entity.attributes == {"n": 7, "x": 2.5, "yes": True, "tags": ("a", "b")}
    assert one.entity.aliases == ("a", "b")
    assert two.entity.attributes == {}
    assert three.entity.attributes == {}
    assert [column for _, column, _ in rejects([three])] == ["n", "x", "yes"]


def test_the_example_of_the_docs_does_what_the_docs_say(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "mapping.md").read_text()
    (tmp_path / "people.csv").write_text(
        "id,name,nicknames,born,friends\n1,Ada,A;Countess,1815,2\n2,Bo,,,\n"
    )
    mapping = declared(tmp_path, page.partition("```toml\n")[2].partition("```")[0])
    ada, bo = entities(mapping)
    assert ada.entity.aliases == ("A", "Countess")
    assert ada.entity.attributes == {"born": 1815}
    assert bo.entity.attributes == {}
    assert [row.edge.key for row in edges(mapping)] == [("person:1", "knows", "person:2")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the mapping, entities: a mapping needs at least one"),
        ("entities = 3", "entities: 3 is not of type list"),
        ("entities = [3]", r"write \[\[entities\]\]"),
        ("= 3", "not a mapping in TOML"),
        ("format = 9\n" + COUNTRY, "format: this version reads format 1"),
        ("format = true\n" + COUNTRY, "format: True is not of type int"),
        ("colour = 'red'\n" + COUNTRY, "the mapping, colour: unknown field"),
        (COUNTRY + "colour = 'red'", "entities 1, colour: unknown field"),
        (COUNTRY.replace('key = "country:{id}"', ""), "entities 1, key: missing"),
        (COUNTRY.replace("country:{id}", "country:{id"), "entities 1, key: a brace"),
        (COUNTRY.replace("country:{id}", "country:{}"), "entities 1, key: a brace"),
        (COUNTRY.replace("country:{id}", " "), "entities 1, key: empty"),
        (COUNTRY.replace("Country", "a`b"), "entities 1, label: 'a`b' is no name"),
        (COUNTRY.replace("Country", "a b"), "letters, digits and _, such as a_b"),
        (COUNTRY.replace("rows.jsonl", "none.jsonl"), "entities 1, file: there is no file"),
        (COUNTRY.replace("rows.jsonl", "../rows.jsonl"), "lies outside the folder"),
        (COUNTRY.replace("rows.jsonl", "/etc/hosts"), "lies outside the folder"),
        (COUNTRY.replace("rows.jsonl", "graph.toml"), "is none of .jsonl"),
        (COUNTRY + "once = 'yes'", "entities 1, once: 'yes' is not of type bool"),
        (COUNTRY + "delimiter = ',,'", "delimiter: a delimiter is one character"),
        (COUNTRY + "aliases = 3", "entities 1, aliases: write a path"),
        (COUNTRY + "aliases = { path = 'a', type = 'int' }", "aliases are a list of texts"),
        (COUNTRY + "attributes = { key = 'id' }", "attributes.key: an attribute cannot be called"),
        (COUNTRY + "attributes = { 'a b' = 'id' }", "attributes.a b: 'a b' cannot be"),
        (COUNTRY + "attributes = { a = { path = 'id', type = 'date' } }", "no type 'date'"),
        (COUNTRY + "attributes = { a = { type = 'int' } }", "attributes.a, path: missing"),
        (COUNTRY + "attributes = { a = { path = 'id', kind = 'x' } }", "kind: unknown field"),
        (COUNTRY + "attributes = { a = { path = 'id', separator = '' } }", "an empty separator"),
        (COUNTRY + BORDERS + "label = 'x'", "edges 1, label: unknown field"),
        (COUNTRY + BORDERS.replace('"borders"\ntail', '"has part"\ntail'), "edges 1, relation"),
        (COUNTRY + BORDERS + "each = { path = 'b', type = 'int' }", "Cannot overwrite a value"),
    ],
)
def test_a_bad_mapping_names_the_table_and_the_field(tmp_path, text, message):
    with pytest.raises(MappingError, match=message) as caught:
        declared(tmp_path, text)
    assert str(tmp_path / "graph.toml") in str(caught.value)


def test_a_missing_mapping_is_an_error(tmp_path):
    with pytest.raises(MappingError, match="no such mapping"):
        load_mapping(tmp_path / "graph.toml")
    with pytest.raises(MappingError, match="no such mapping"):
        load_mapping(tmp_path)


def test_a_link_out_of_the_folder_is_outside_of_it(tmp_path):
    (tmp_path / "secret.jsonl").write_text("{}\n")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link.jsonl").symlink_to(tmp_path / "secret.jsonl")
    with pytest.raises(MappingError, match="lies outside"):
        declared(inside, COUNTRY.replace("rows.jsonl", "link.jsonl"))


def test_the_content_of_a_mapping_is_its_text_its_files_and_its_pictures(tmp_path):
    text = COUNTRY + 'image = "flags/{id}.png"\n'
    (tmp_path / "flags").mkdir()
    first = declared(tmp_path, text).content
    assert declared(tmp_path, text).content == first
    assert declared(tmp_path, text + "\n# more\n").content != first
    assert declared(tmp_path, text, ROWS[:2]).content != first
    (tmp_path / "flags" / "AL.png").write_bytes(b"x")
    assert declared(tmp_path, text).content != first
