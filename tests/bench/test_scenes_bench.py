"""`bench.scenes_predcls` on made images: it runs, goes on where it was, and writes its pages."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bench import scenes, scenes_predcls
from scenes.relations import network
from tests.scenes.relation_files import rows, write_rows, write_vocabulary


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setenv("UMBRA_TEXT_ENCODER", "tiny")
    for name in ("BASELINE", "ENSEMBLE"):
        whole = getattr(network, name)
        parts = {
            part: tuple(replace(one, epochs=1) for one in getattr(whole, part)[:2])
            for part in ("pair", "predicate")
        }
        monkeypatch.setattr(network, name, replace(whole, **parts))


def test_the_bench_runs_goes_on_and_writes_its_pages(tmp_path, capsys):
    data, out = tmp_path / "vrd", tmp_path / "out"
    data.mkdir()
    write_vocabulary(data / "vocabulary.json")
    write_rows(data / "train.jsonl.gz", rows(8, seed=0))
    write_rows(data / "test.jsonl.gz", rows(30, seed=1))
    given = ["--data", str(data), "--work", str(tmp_path / "work"), "--out", str(out)]
    given += ["--seeds", "2", "--kinds", "network", "baseline", "prior"]
    assert scenes_predcls.main(given) == 0
    assert "network 1" in capsys.readouterr().err
    assert scenes_predcls.main(given) == 0
    assert capsys.readouterr().err == ""
    summary = json.loads((out / "scenes-predcls.json").read_text())
    assert len(summary["runs"]["network balanced"]) == 2
    assert {point["rule"] for point in summary["curve"]} == {"shift", "worth"}
    for gap in summary["difference"].values():
        assert gap["low"] <= gap["mean"] <= gap["high"]
    text = (out / "scenes-predcls.md").read_text()
    assert "| zR@50 unconstrained | 38 | 43 |" in text
    assert (out / "scenes-predcls.svg").read_text().startswith("<svg")
    assert scenes.main(["--out", str(out)]) == 0
    assert "](scenes-predcls.md)" in (out / "scenes.md").read_text()
