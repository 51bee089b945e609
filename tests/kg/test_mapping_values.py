"""Templates, paths and types: what becomes of a single value of a row."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import InputError, RecordError
from kg.templates import MISSING, Template, look_up
from kg.value_types import convert

literals = st.text(
    st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="{}"), max_size=8
)


@given(st.lists(literals, min_size=1, max_size=4))
def test_a_template_puts_values_between_its_literals(pieces):
    marks = [f"{{f{number}.x}}" for number in range(len(pieces) - 1)]
    text = "".join(piece + mark for piece, mark in zip(pieces, [*marks, ""], strict=True))
    record = {f"f{number}": {"x": number} for number in range(len(marks))}
    numbers = [*map(str, range(len(marks))), ""]
    filled = "".join(piece + number for piece, number in zip(pieces, numbers, strict=True))
    template = Template.parse(text)
    assert template.fill(record) == filled.strip()
    assert template.lacks(record) is None
    assert template.lacks({}) == ("f0.x" if marks else None)


def test_templates_double_their_braces_and_refuse_what_is_no_single_value():
    assert Template.parse("{{{a}}}").fill({"a": True}) == "{true}"
    for value, reason in {
        None: "missing",
        "": "missing",
        (1, 2): "not a single value but tuple",
        "a\nb": "a control character",
        "\ud800": "half a letter",
        "x" * 5_000: "longer than 4,096",
    }.items():
        with pytest.raises(RecordError, match=reason) as caught:
            Template.parse("{a}").fill({"a": value})
        assert caught.value.column == "a"
    with pytest.raises(InputError, match="holds no field"):
        Template.parse("a}b")


def test_paths_reach_into_objects_and_lists():
    record = {"a": {"b": [10, {"c": 3}]}, "a.b": None, "x.y": 1}
    assert look_up(record, "a.b.1.c") == 3
    assert look_up(record, "x.y") == 1
    for path in ("a.b.2", "a.b.-1", "a.b.c", "a.c", "z", "x.z", "a.b.0.0", "a.b.99999999999"):
        assert look_up(record, path) is MISSING


@pytest.mark.parametrize(
    ("value", "kind", "result"),
    [
        ("12", "int", 12),
        (3.0, "int", 3),
        (True, None, True),
        ("no", "bool", False),
        (5, "float", 5.0),
        ([], "int[]", ()),
        ([1, "a"], None, (1, "a")),
        ("text", "str", "text"),
    ],
)
def test_values_are_converted(value, kind, result):
    converted = convert(value, kind, column="c")
    assert converted == result
    assert type(converted) is type(result)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, "int"),
        (3.5, "int"),
        (2**63, "int"),
        (2**63, None),
        (math.inf, "float"),
        (math.nan, None),
        (10**400, "float"),
        (True, "float"),
        (1, "bool"),
        (1, "str"),
        ([1], "int"),
        (1, "int[]"),
        ([[1]], None),
        ({}, None),
        (["x"], "float[]"),
    ],
)
def test_values_of_another_type_are_refused(value, kind):
    with pytest.raises(RecordError) as caught:
        convert(value, kind, column="c")
    assert caught.value.column == "c"
