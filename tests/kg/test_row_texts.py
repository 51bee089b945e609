"""Rows that go to the server as one text: which do, and that they are the same rows."""

import json

from hypothesis import given
from hypothesis import strategies as st

from kg.backends.texts import LONGEST, as_text

STATEMENT = "WITH 1 AS one UNWIND $rows AS row RETURN row.a"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
ROWS = st.lists(st.dictionaries(TEXTS, TEXTS | st.lists(TEXTS, max_size=3), max_size=3), max_size=4)
OTHER = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.lists(st.integers(), min_size=1)
)


@given(ROWS)
def test_texts_go_as_one_text_that_reads_back(rows):
    said, given_ = as_text(STATEMENT, {"rows": rows, "_touched": "x"}, "read($rows)")
    assert said == "WITH 1 AS one UNWIND read($rows) AS row RETURN row.a"
    assert json.loads(given_["rows"]) == rows
    assert given_["_touched"] == "x"


@given(ROWS, OTHER)
def test_rows_with_any_other_value_go_as_they_are(rows, other):
    parameters = {"rows": [*rows, {"a": other}]}
    assert as_text(STATEMENT, parameters, "read($rows)") == (STATEMENT, parameters)


def test_what_is_too_long_or_has_no_reader_goes_as_it_is():
    for rows, read in (([{"a": "b" * LONGEST}], "read($rows)"), ([{"a": "b"}], None)):
        assert as_text(STATEMENT, {"rows": rows}, read) == (STATEMENT, {"rows": rows})
    assert as_text("RETURN $keys", {"keys": ["a"]}, "read($rows)")[1] == {"keys": ["a"]}
