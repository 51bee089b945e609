"""`bench.scenes_noisy_labels` and `bench.scenes_preference`: what is planted, and their pages."""

from __future__ import annotations

import numpy as np

from bench.scenes_data import Vrd
from bench.scenes_noisy_labels import Runs, planted
from bench.scenes_noisy_labels_page import page
from bench.scenes_preference import page as preference_page
from evaluation import Measurement
from evaluation.results import RunResult
from tests.scenes.relation_world import VOCABULARY, made_images

IMAGES = made_images(80)


def test_a_share_of_the_predicates_is_replaced_and_the_rest_is_told_apart():
    wrong, untouched = planted(IMAGES, 5, share=0.4, seed=0)
    count = sum(len(image.triplets) for image in IMAGES)
    left = sum(len(image.triplets) for image in untouched)
    assert abs(left / count - 0.6) < 0.1
    for was, now, right in zip(IMAGES, wrong, untouched, strict=True):
        said = {tuple(one) for one in was.triplets.tolist()}
        told = {tuple(one) for one in now.triplets.tolist()}
        kept = {tuple(one) for one in right.triplets.tolist()}
        assert kept <= said & told
        assert {(s, o) for s, _, o in said} == {(s, o) for s, _, o in told}
        # a pair of one predicate: what is not kept became another one
        for subject, predicate, other in said - kept:
            if sum((s, o) == (subject, other) for s, _, o in said) == 1:
                assert (subject, predicate, other) not in told
    same, whole = planted(IMAGES, 5, share=0.0, seed=0)
    for was, now, right in zip(IMAGES, same, whole, strict=True):
        assert {*map(tuple, now.triplets.tolist())} == {*map(tuple, was.triplets.tolist())}
        assert np.array_equal(was.triplets, right.triplets)


def test_kept_figures_are_read_and_not_measured_again(tmp_path):
    kept = tmp_path / "noisy-planted-40%-own-0.json"
    kept.write_text('{"recall_at_50": 0.5}', encoding="utf-8")
    data = Vrd(vocabulary=VOCABULARY, train=IMAGES, judged=IMAGES[:2], inputs={})
    runs = Runs(data, None, tmp_path)
    assert runs.figures("planted 40%", lambda: 1 / 0, "own", 0) == {"recall_at_50": 0.5}


def result(by) -> RunResult:
    return RunResult.measured(
        Measurement.start(), command="c", seed=0, protocol="predcls", inputs={}, n=2,
        metrics={}, by=by,
    )  # fmt: skip


def figures(mean_recall: float) -> dict[str, float]:
    return {"n": 3, "recall_at_50": 0.5, "mean_recall_at_50": mean_recall}


def test_the_pages_decide_by_their_rules():
    for gain, word in ((0.02, "It does."), (0.005, "It does not")):
        run = {
            f"boosted {noisy} seed {seed}": figures(0.1 + gain * (noisy == "cromss"))
            for noisy in ("plain", "cromss")
            for seed in range(3)
        }
        way = {f"boosted {noisy}": figures(0.1) for noisy in ("plain", "cromss")}
        assert word in page(result({"run": run, "way": way}))
        names = [f"{name} {when}" for name in ("plain", "balanced") for when in ("before", "after")]
        run = {
            f"{name} seed {seed}": figures(0.1 + gain * name.endswith("after"))
            for name in names
            for seed in range(3)
        }
        pairs = {f"{n} {k}": {"n": 7} for n in ("plain,", "balanced,") for k in (3, 5, 10)}
        by = {
            "run": run,
            "way": {name: figures(0.1) for name in names},
            "pairs": {**pairs, "annotated": {"n": 9}},
        }
        assert word.lower()[3:] in preference_page(result(by)).lower()
