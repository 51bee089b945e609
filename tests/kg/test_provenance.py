"""Records of provenance and the laws of merging them."""

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import InputError
from kg.provenance import Provenance, best_probability, merged

texts = st.none() | st.text(st.characters(blacklist_categories=["Cs"]), max_size=6)
records = st.builds(
    Provenance,
    kind=st.sampled_from(["asserted", "linked", "generated", "accepted"]),
    source=st.sampled_from(["a", "b"]),
    locator=texts,
    text=texts,
    job=texts,
    model=texts,
    probability=st.floats(0, 1) | st.integers(0, 1),
    at=st.none() | st.just("2026-01-01"),
    derived_from=st.lists(st.sampled_from(["c", "d e f"]), max_size=2),
)
some = st.lists(records, max_size=6)


def of_one_identity_each(rows) -> list[Provenance]:
    return list({row.identity: row for row in rows}.values())


@given(records)
def test_a_record_reads_back_as_it_was_written(record):
    assert Provenance.from_json(record.to_json()) == record
    assert "\n" not in record.to_json()
    said = {name: value for name, value in asdict(record).items() if value not in (None, ())}
    assert record.to_json() == json.dumps(said, ensure_ascii=False, sort_keys=True)


@given(some)
def test_merging_is_idempotent(rows):
    once = merged((), rows)
    assert merged(once, rows) == once
    assert merged(once, ()) == once
    assert merged((), once) == once


@given(some, some)
def test_merging_is_commutative_where_nothing_is_replaced(left, right):
    right = [row for row in right if row.identity not in {each.identity for each in left}]
    assert merged(left, of_one_identity_each(right)) == merged(
        of_one_identity_each(right), merged((), left)
    )


@given(some, some, some)
def test_merging_is_associative(first, second, third):
    assert merged(merged(first, second), third) == merged(first, merged(second, third))


@given(some, some)
def test_merging_keeps_every_identity_and_the_newer_record(old, new):
    result = {row.identity: row for row in merged(old, new)}
    assert set(result) == {row.identity for row in (*old, *new)}
    assert all(result[row.identity] == row for row in of_one_identity_each(new))


@given(records)
def test_identity_is_not_moved_by_text_or_probability(record):
    other = Provenance(
        kind=record.kind,
        source=record.source,
        locator=record.locator,
        job=record.job,
        model=record.model,
        text="another",
        probability=0.123,
    )
    assert other.identity == record.identity
    moved = Provenance(kind=record.kind, source=record.source + "x", locator=record.locator)
    assert moved.identity != record.identity


@given(some)
def test_the_best_probability_is_that_of_the_strongest_record(rows):
    assert best_probability(rows) == max([row.probability for row in rows], default=0.0)


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "guessed", "source": "a"},
        {"kind": "linked", "source": "a", "probability": 1.01},
        {"kind": "linked", "source": "a", "probability": -0.1},
        {"kind": "linked", "source": "a", "probability": float("nan")},
    ],
)
def test_a_wrong_record_is_refused(fields):
    with pytest.raises(InputError):
        Provenance(**fields)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "3",
        "{}",
        '{"kind": "linked"}',
        '{"kind": 3, "source": "a"}',
        '{"kind": "linked", "source": "a", "more": 1}',
        '{"kind": "linked", "source": "a", "probability": "x"}',
    ],
)
def test_what_is_no_record_is_refused(text):
    with pytest.raises(InputError):
        Provenance.from_json(text)
