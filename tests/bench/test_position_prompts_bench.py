"""The bench of position prompts: ranks of drawn-alike flags, and a page from figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.flags.pictures import ARTISTS
from bench.position_prompts import METHODS, gains_of, judge, page, result_of, without_names
from encoders.protocols import Vectors
from evaluation import Measurement
from tests.scenes.test_position_prompts import region


class Words:
    """Texts by the words in them."""

    fingerprint = "words"
    dimension = 64

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def encode(self, texts: Sequence[str]) -> Vectors:
        pooled = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            for word in set(text.replace(".", "").split()):
                pooled[row, self._seen.setdefault(word, len(self._seen))] = 1
        pooled /= np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), 1e-9)
        nothing = np.zeros((len(texts), 0, self.dimension), np.float16)
        return Vectors(pooled=pooled, tokens=nothing, mask=np.zeros((len(texts), 0), bool))


FLAGS = {
    "A": [region(0, 0)],
    "B": [region(2, 2)],
    "C": [region(2, 2)],
    "D": [region(1, 1, colour="red")],
}
ASKED = {"A": "a white star upper left", "C": "a white star lower right", "D": "a red star"}


def test_blocks_tell_apart_what_is_alike_without_them() -> None:
    found = judge(Words(), ASKED, FLAGS, [["B", "C"]])
    assert found["blocks"].tolist() == [1, 1, 1]
    assert found["no_blocks"].tolist() == [1.5, 1.5, 1]  # two answers of one text; B is C
    assert found["colours"].tolist()[2] == 1


def test_the_page_says_what_blocks_won_by() -> None:
    better = {name: np.full(40, 1.0 if name == "blocks" else 2.0) for name in METHODS}
    worse = {name: np.full(40, 4.0 if name == "blocks" else 2.0) for name in METHODS}
    for ranked, told, gain in ((better, "They do.", "+0.500"), (worse, "They do not", "-0.250")):
        found = dict.fromkeys(ARTISTS, ranked)
        result = result_of(found, clock=Measurement.start(), seed=0)
        written = page(result, gains_of(found, seed=0))
        assert told in written
        assert f"| over without blocks | {gain} | {gain} | {gain} |" in written
        assert written.count("| without blocks | 0.500 | 0.000 | 0.000 | 1.000 |") == 2


def test_names_are_masked_longest_first() -> None:
    text = "the arms of Papua New Guinea, not of Guineans"
    assert without_names(text, ["Guinea", "Papua New Guinea"]) == (
        "the arms of the country, not of Guineans"
    )
