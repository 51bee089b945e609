"""The bench of methods against hubs runs on made sets, and its page tells of every method."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bench.linking_methods import main
from bench.linking_methods_distilled import VARIANTS as DISTILLED
from bench.linking_methods_hubs import METHODS, MOVES
from bench.linking_methods_insertions import KINDS
from bench.linking_methods_late import COSINE, LATE
from bench.linking_methods_neighbours import nearness
from bench.linking_methods_opinions import USES
from bench.linking_methods_views import PLAIN, VARIANTS
from encoders.padding import unit
from tests.linkers.boosted.made_world import entities, mentions, write
from tests.linkers.visual.drawn_world import drawn, things


def test_methods_are_judged_and_told(tmp_path: Path) -> None:
    write(tmp_path / "emoji.jsonl.gz", things())
    second = drawn("second")
    np.savez(tmp_path / "emoji_64.npz", openmoji=drawn("first"), noto=second, twemoji=second[::-1])
    write(tmp_path / "entities.jsonl.gz", entities())
    write(tmp_path / "wikidiverse.jsonl.gz", mentions(120))
    where = ("--data", tmp_path, "--work", tmp_path / "work", "--out", tmp_path)
    given = [
        str(word)
        for word in (
            *where,
            "--encoder",
            "tiny",
            "--image-encoder",
            "outlines",
            "--seeds",
            0,
            "--epochs",
            1,
            "--parts",
            "noto",
            "texts",
            "banks",
            "neighbours",
            "tokens",
            "views",
            "late-cosine",
            "late-times",
            "insertions",
            "opinions",
            "foreign",
            "distilled",
        )
    ]
    assert main(given) == 0
    found = json.loads((tmp_path / "linking-methods.json").read_text())
    text = (tmp_path / "linking-methods.md").read_text(encoding="utf-8")
    for part in ("noto", "texts"):
        assert set(found[part]["methods"]) == set(METHODS)
        cosine = found[part]["methods"]["cosine"]
        assert cosine["gains"]["cosine"] == [0.0, 0.0, 0.0]
        assert 0 < cosine["hits_at_1"] <= cosine["recall_at_64"] <= 100
    assert text.count("| InvGC, r = 4 |") == 3  # once among neighbours
    assert "Drawings by Twemoji" not in text
    tokens = found["tokens"]["methods"]
    assert 0 < tokens["late interaction"]["hits_at_1"] <= 100
    assert "| mean of both |" in text
    views = found["views"]["methods"]
    assert set(views) == set(VARIANTS)
    assert {column["artist"] for column in views["with views"]["columns"]} == {"known", "unseen"}
    plain = views["matching and ICL alone"]["columns"]
    assert [column["gain"] for column in plain] == [[0.0, 0.0, 0.0]] * 2
    assert text.count("| with views and local terms | ") == 1
    banks = found["banks"]["methods"]
    assert banks["250 mentions"] == banks["all of them"]  # there are fewer
    near = found["neighbours"]["methods"]
    assert set(near) == set(MOVES)
    assert "names, Wikidata-MEL" not in near["as encoded"]
    assert all(-1 <= row["names, WikiDiverse"] <= 1 for row in near.values())
    late, times = found["late-cosine"]["methods"], found["late-times"]["methods"]
    assert set(late) == set(COSINE)
    assert set(times) == set(LATE)
    assert times[PLAIN]["times"] == 1
    # 96 numbers in a byte each and what they were divided by, of sixteen parts and of no words
    parts = times["global and late"]["bytes"] - times[PLAIN]["bytes"]
    assert parts == pytest.approx(17 * (96 + 4))
    told = found["insertions"]["methods"]
    assert len(told) == 8
    for row in told.values():  # some drawings are too small to have a colour
        assert {"false colours", "plain adjectives"} <= set(row["kinds"]) <= set(KINDS)
        for kind in row["kinds"].values():
            assert 0 < kind["mentions"] <= row["mentions"]
            assert kind["hits_change"][0] == pytest.approx(kind["hits"][1] - kind["hits"][0])
    assert "the most harmful colours cost" in text
    opinions = found["opinions"]["methods"]
    assert set(opinions) == set(USES)
    assert 0 <= opinions["opinions alone"]["auroc"] <= 100
    assert "auroc_gain" not in opinions["networks alone"]
    distilled = found["distilled"]["methods"]
    assert set(distilled) == set(DISTILLED)
    assert distilled["InfoNCE"]["recall 8"][0] <= distilled["InfoNCE"]["recall 64"][0]
    assert "The teacher alone, over all candidates" in text
    assert len(found["foreign"]["methods"]["foreign words as marks"]["alone"]) == 2


def test_nearness_is_the_mean_over_the_ten_nearest_others() -> None:
    index = unit(np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32))
    rows = np.array([3, 7])
    wanted = [
        sorted(float(index[row] @ other) for other in np.delete(index, row, axis=0))[-10:]
        for row in rows
    ]
    assert nearness(index, rows) == pytest.approx(np.mean(wanted), abs=1e-5)
