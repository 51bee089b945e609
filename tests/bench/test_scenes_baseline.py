"""`bench.scenes_baseline` on made images: readings differ, what was said is kept, a page comes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bench import scenes_baseline
from bench.scenes_baseline import CHOSEN, PUBLISHED, READINGS
from bench.scenes_baseline_networks import Trial
from evaluation import read_result
from scenes.relations.pairs import pair_table
from scenes.relations.recall import rank_relations
from tests.scenes.relation_files import rows, write_rows, write_vocabulary
from tests.scenes.relation_samples import VOCABULARY, images


def trial(tmp_path):
    learnt, judged = images(40, seed=0), images(20, seed=1)
    return Trial(vocabulary=VOCABULARY, train=learnt, judged=judged, work=tmp_path)


def test_the_baseline_learns_what_is_annotated(tmp_path):
    made = trial(tmp_path)
    scorer = made.scorer(replace(READINGS[CHOSEN], batch=32, rate=1e-2), 0.0, 0)
    ranked = rank_relations(scorer, made.judged)
    assert dict(ranked.reports())["_at_20"].recall > 0.7
    for image, scores in zip(made.judged, scorer.score(made.judged), strict=True):
        told = np.exp(scores).sum(axis=1)  # the pair's probability, whatever the predicate is
        assert len(scores) == len(image) * (len(image) - 1)
        assert (told <= 1 + 1e-9).all()


def test_a_shift_in_training_brings_rare_predicates_forward(tmp_path):
    made = trial(tmp_path)
    said = pair_table(made.train, predicates=len(VOCABULARY.predicates)).said.sum(axis=0)
    rare = np.argsort(said)[: len(said) // 2]
    shares = []
    for tau in (0.0, 1.0):
        scores = made.scorer(replace(READINGS[CHOSEN], epochs=2), tau, 0).score(made.judged)
        joint = np.exp(np.concatenate(scores))
        shares.append((joint / joint.sum(axis=1, keepdims=True))[:, rare].mean())
    assert shares[1] > shares[0]


def test_the_bench_writes_its_page_and_trains_nothing_twice(tmp_path, monkeypatch):
    write_vocabulary(tmp_path / "vocabulary.json")
    write_rows(tmp_path / "train.jsonl.gz", rows(8, seed=0))
    write_rows(tmp_path / "test.jsonl.gz", rows(30, seed=1))
    few = {name: replace(one, epochs=1, pair_epochs=1) for name, one in READINGS.items()}
    monkeypatch.setattr(scenes_baseline, "READINGS", few)
    out = tmp_path / "out"
    out.mkdir()
    given = [str(tmp_path), "--work", str(tmp_path / "work"), "--out", str(out), "--seeds", "2"]
    assert scenes_baseline.main(given) == 0
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "work").iterdir()}
    result = read_result(out / "scenes-baseline.json")
    assert len(result.by["reading"]) == len(READINGS) + len(PUBLISHED) - 1
    assert scenes_baseline.main(given) == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "work").iterdir()} == kept
    text = (out / "scenes-baseline.md").read_text()
    assert "| **published** | 0.4 | | 52.1 | 23.4 | 70.2 | 36.9 |" in text
    assert text.count("\n| first |") == len(PUBLISHED)
    assert str(tmp_path) not in text
