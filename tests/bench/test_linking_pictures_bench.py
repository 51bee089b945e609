"""The bench of linking by pictures runs on a drawn set and says what it found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.linking_pictures import COSINE, main, name_of
from evaluation import read_result
from tests.linkers.boosted.made_world import write
from tests.linkers.visual.drawn_world import drawn, things


def test_the_bench_writes_its_results_and_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "emoji.jsonl.gz", things())
    second = drawn("second")
    np.savez(
        tmp_path / "emoji_64.npz",
        openmoji=drawn("first"),
        noto=second,
        twemoji=255 - (255 - second) // 2,
    )
    out = tmp_path / "out"
    given = ["--data", tmp_path, "--work", tmp_path / "work", "--out", out, "--seeds", 1]
    words = [str(w) for w in (*given, "--image-encoder", "tiny", "--text-encoder", "tiny")]
    assert main(words) == 0
    text = (out / "linking-pictures.md").read_text(encoding="utf-8")
    result = read_result(out / name_of("noto", "twemoji", 1))
    assert result.seed == 1
    assert result.inputs["train_images"] != result.inputs["mention_images"]
    assert read_result(out / name_of("twemoji", "noto", COSINE)).metrics["hits_at_1"] <= 1
    for wanted in (
        "| noto | twemoji | picture and words | ",
        "- picture, noto to noto: at least 29, aim 38",
        "### twemoji, picture: all parts",
        "| without | H@1 | lost |",
        "| picture to words | ",
    ):
        assert wanted in text
    assert main(words) == 0
    assert (out / "linking-pictures.md").read_text(encoding="utf-8") == text
    capsys.readouterr()
