"""Lines of edges mean by numpy what they mean to a parser of JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kg.backends.edge_lines import EdgeLines, record_code
from kg.provenance import Provenance, best_probability

numbers = st.integers(0, 2**23 - 1) | st.integers(0, 12)
record_ids = st.builds("#{}:{}".format, numbers, numbers)
texts = st.text(st.sampled_from('ab"\\ :,{}[]1.0\n\u2028#ä'), max_size=8)
texts |= st.sampled_from(['"probability": 0.5', r"\"probability\": 0.5", '\\"probability\\": 1.0,'])
records = st.builds(
    Provenance,
    kind=st.just("asserted"),
    source=texts,
    probability=st.just(1.0) | st.floats(0, 1) | st.sampled_from([0.0, 5e-324, 1e-05, 0.1 + 0.2]),
)
edges = st.tuples(record_ids, record_ids, record_ids, st.lists(records, max_size=3))
TRAILER = '{"stats":{"rows":3}}'


def line(row: dict[str, Any], separators: tuple[str, str] = (",", ":")) -> str:
    return json.dumps({"record": row}, separators=separators, ensure_ascii=False)


@given(st.lists(edges, max_size=6), st.booleans())
@example([("#9:1", "#1:2", "#3:4", []), ("#9:2", "#0:0", "#0:1", [])], False)
@settings(max_examples=50, deadline=None)
def test_what_the_engine_writes_is_read(
    drawn: list[tuple[str, str, str, list[Provenance]]], ended: bool
) -> None:
    rows = [line({"e": e, "h": h, "t": t, "r": [r.to_json() for r in rs]}) for e, h, t, rs in drawn]
    found = EdgeLines.read("".join(f"{row}\n" for row in rows + [TRAILER] * ended).encode())
    assert found.edges.tolist() == [record_code(e) for e, *_ in drawn]
    assert found.heads.tolist() == [record_code(h) for _, h, *_ in drawn]
    assert found.tails.tolist() == [record_code(t) for _, _, t, _ in drawn]
    best = np.array([best_probability(rs) for *_, rs in drawn], dtype=np.float32)
    np.testing.assert_array_equal(found.probabilities, best)


ASSERTED = [Provenance(kind="asserted", source="s", probability=0.5).to_json()]
WHOLE: dict[str, Any] = {"e": "#9:8", "h": "#1:2", "t": "#3:4", "r": ASSERTED}


@pytest.mark.parametrize(
    "text",
    [
        line(WHOLE, (", ", ": ")),
        line({"t": "#3:4", "r": ASSERTED, "h": "#1:2", "e": "#9:8"}),
        line({"e": "#9:8", "h": "#1:2", "x": "#9:9", "t": "#3:4", "r": ASSERTED}),
        line(WHOLE).replace("#", "\\u0023"),
        line(WHOLE).replace('\\"', "\\u0022"),
    ],
)
def test_what_it_might_write_is_read_too(text: str) -> None:
    found = EdgeLines.read(f"{line(WHOLE)}\n{text}\n{line(WHOLE)}\n".encode())
    assert found.edges.tolist() == [record_code("#9:8")] * 3
    assert found.heads.tolist() == [record_code("#1:2")] * 3
    assert found.tails.tolist() == [record_code("#3:4")] * 3
    assert found.probabilities.tolist() == [0.5] * 3


def test_an_edge_without_records_or_ends_is_told_so() -> None:
    rows = [WHOLE | {"r": None}, WHOLE | {"t": None}]
    found = EdgeLines.read("".join(line(row) + "\n" for row in rows).encode())
    assert found.tails.tolist() == [record_code("#3:4"), -1]
    assert found.probabilities.tolist() == [0.0, 0.5]
    assert len(EdgeLines.read(b"").heads) == len(EdgeLines.together([]).tails) == 0
