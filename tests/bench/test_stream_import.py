"""The bench of streamed imports, on a small dump."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.stream_import import Made, Nowhere, made, page, run


@pytest.mark.parametrize(("name", "ending"), [("n-triples", ".nt"), ("jsonl", ".jsonl")])
def test_a_small_dump_is_streamed_and_told(name: str, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"dump{ending}"
    made(path, 1, name, sample=100)
    found = run(path, tmp_path / "work", name, Nowhere())
    count = sum(1 for _ in Made(100).edges())
    assert (found["entities"], found["edges"], found["rejects"]) == (100, count, 0)
    text = page(name, found, embedded=False)
    assert all(f"| {step} |" in text for step in ("before", "laid_out", "10%", "50%", "100%"))
