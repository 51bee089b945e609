"""Lines of a first load are sent in the order of their heads, whatever waited compressed."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kg.backends import load_requests
from kg.backends.load_requests import Waiting

LINES = st.lists(
    st.tuples(
        st.integers(0, 9) | st.integers(0, 2**40), st.text("abä\r\u2028\U00010348 ", max_size=9)
    ),
    max_size=30,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LINES, max_size=6), st.integers(1, 60), st.integers(1, 7))
def test_every_line_is_sent_once_in_the_order_of_heads_and_of_their_coming(
    monkeypatch: pytest.MonkeyPatch,
    parts: list[list[tuple[int, str]]],
    letters: int,
    piece_lines: int,
) -> None:
    monkeypatch.setattr(load_requests, "LOOSE_LETTERS", letters)
    monkeypatch.setattr(load_requests, "PIECE_LINES", piece_lines)
    waiting = Waiting()
    for part in parts:
        waiting.add([head for head, _ in part], [line + "\n" for _, line in part])
    came = [row for part in parts for row in part]
    expected = "".join(line + "\n" for _, line in sorted(came, key=lambda row: row[0])).encode()
    pieces = waiting.pieces()
    assert waiting.edges == len(pieces) == len(came)
    assert waiting.letters == len(expected.decode())
    assert b"".join(pieces) == expected == b"".join(pieces)
    assert all(piece.count(b"\n") <= piece_lines for piece in pieces)


def test_what_waits_takes_little_memory_until_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_requests, "LOOSE_LETTERS", 10_000)
    waiting = Waiting()
    line = '{"@type":"edge","_records":["{\\"kind\\": \\"asserted\\", \\"locator\\": \\"%d\\"}"]}\n'
    for start in range(0, 10_000, 500):
        waiting.add(range(start, start + 500), [line % n for n in range(start, start + 500)])
    assert 0 < waiting.packed < len(b"".join(waiting.pieces())) / 4
