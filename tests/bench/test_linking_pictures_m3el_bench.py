"""The bench of M3EL on drawings runs on a drawn set and says what it found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.linking_pictures_m3el import main, name_of
from evaluation import read_result
from tests.linkers.boosted.made_world import write
from tests.linkers.visual.drawn_world import drawn, things


def test_the_bench_writes_its_results_and_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "emoji.jsonl.gz", things())
    second = drawn("second")
    np.savez(tmp_path / "emoji_64.npz", openmoji=drawn("first"), noto=second, twemoji=second[::-1])
    out = tmp_path / "out"
    given = ["--data", tmp_path, "--work", tmp_path / "work", "--out", out]
    more = ["--seeds", 0, "--epochs", 1, "--image-encoder", "tiny", "--text-encoder", "tiny"]
    words = [str(word) for word in (*given, *more)]
    assert main(words) == 0
    text = (out / "linking-pictures-m3el.md").read_text(encoding="utf-8")
    result = read_result(out / name_of("noto", "twemoji", 0))
    assert set(result.by["modality"]) == {"picture", "picture and words"}
    assert read_result(out / name_of("twemoji", "noto", "cosine")).by.keys() == {"modality"}
    for wanted in ("| noto | twemoji | picture | ", "| twemoji | picture and words | text | "):
        assert wanted in text
    assert main(words) == 0
    assert (out / "linking-pictures-m3el.md").read_text(encoding="utf-8") == text
    capsys.readouterr()
