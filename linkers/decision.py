"""Which candidate, or none: probabilities over the candidates of a mention and NIL.

Every candidate and NIL get a logit, and a softmax over them gives probabilities. The logit of a
candidate is a small network's over its signals, their gaps to the best rival, and marks of the
mention; that of NIL is another's over the strongest values of each signal. Several of them, from
different seeds, are averaged; a temperature and an offset of NIL, fitted on valid mentions,
calibrate the result. In training some mentions lose their own entity and become NIL: that is what
an entity that is not in the graph looks like.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError, SettingError
from linkers.cases import Case
from linkers.opinion_cases import Opinions

__all__ = ["PARTS", "Decision", "DecisionConfig", "candidate_inputs", "nil_inputs"]

_Array = NDArray[np.float32]
_TEMPERATURES = np.geomspace(0.5, 4.0, 31)
_OFFSETS = np.linspace(-2.0, 2.0, 21)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionConfig:
    """How the decision is trained.

    Attributes:
        hidden: Units of each small network.
        members: Networks that are averaged.
        epochs: Passes over the mentions.
        batch: Mentions a step.
        learning_rate: Of AdamW.
        weight_decay: Of AdamW.
        dropout: Share of inputs and hidden units dropped in training, in [0, 1).
        withhold: Share of mentions that lose their entity in a pass, in [0, 1).
        blind: Share of mentions that lose their picture's signals in a pass, in [0, 1).
        opinions: What evidence and ignorance (`linkers.opinions`) are for: `none`; `marks` that the
            networks see too; or `alone`, in place of the networks.
    """

    hidden: int = 32
    members: int = 2
    epochs: int = 20
    batch: int = 128
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    dropout: float = 0.1
    withhold: float = 0.1
    blind: float = 0.1
    opinions: Literal["none", "marks", "alone"] = "none"

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        for name in ("hidden", "members", "epochs", "batch"):
            if getattr(self, name) < 1:
                raise SettingError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("dropout", "withhold", "blind"):
            if not 0 <= getattr(self, name) < 1:
                raise SettingError(f"{name} must lie in [0, 1), got {getattr(self, name)}")
        if self.opinions not in ("none", "marks", "alone"):
            raise SettingError(f"opinions must be none, marks or alone, not {self.opinions!r}")


def candidate_inputs(signals: _Array, marks: _Array) -> _Array:
    """Return ``(C, 2 x signals + marks)``: signals, gaps to the best rival, marks."""
    count = len(signals)
    gaps = signals.copy()
    if count > 1:
        ordered = np.sort(signals, axis=0)
        best, second = ordered[-1], ordered[-2]
        gaps = signals - np.where(signals == best, second, best)
    return np.concatenate([signals, gaps, np.tile(marks, (count, 1))], axis=1).astype(np.float32)


def nil_inputs(signals: _Array, marks: _Array) -> _Array:
    """Return ``(2 x signals + marks + 1,)``: best values, leads, marks, whether there is none."""
    width = signals.shape[1]
    best = signals.max(axis=0) if len(signals) else np.zeros(width, np.float32)
    lead = best - np.sort(signals, axis=0)[-2] if len(signals) > 1 else best
    empty = np.float32(len(signals) == 0)
    return np.concatenate([best, lead, marks, [empty]]).astype(np.float32)


class Decision:
    """Trained weights; one mention at a time.

    Args:
        arrays: Weights and scales by name, as `arrays` returns them.

    Raises:
        InputError: An array is missing.
    """

    def __init__(self, arrays: dict[str, NDArray[np.float32]]) -> None:
        try:
            self._temperature, self._offset = (float(v) for v in arrays["calibration"])
            members = int(arrays["members"][0])
            scales = ("mean", "spread", "nil_mean", "nil_spread") if members else ()
            self._scales = [arrays[name] for name in scales]
            self._opinions = Opinions.read(arrays)
            self._members = [
                tuple(arrays[f"{member}.{part}"] for part in PARTS) for member in range(members)
            ]
        except KeyError as error:
            raise InputError(f"a decision lacks the array {error.args[0]!r}") from error
        self.arrays = arrays

    def logits(self, case: Case) -> tuple[NDArray[np.float64], float]:
        """Return uncalibrated logits of the candidates ``(C,)`` and of NIL."""
        if self._opinions is not None:
            if not self._members:
                return self._opinions.logits(case)
            case = self._opinions.marked(case)
        mean, spread, nil_mean, nil_spread = self._scales
        inputs = (candidate_inputs(case.signals, case.marks) - mean) / spread
        nil = (nil_inputs(case.signals, case.marks) - nil_mean) / nil_spread
        own, none = np.zeros(len(inputs)), 0.0
        for w1, b1, w2, b2, v1, c1, v2, c2 in self._members:
            own += (np.maximum(inputs @ w1.T + b1, 0) @ w2.T + b2)[:, 0]
            none += float((np.maximum(v1 @ nil + c1, 0) @ v2.T + c2)[0])
        return own / len(self._members), none / len(self._members)

    def probabilities(self, case: Case) -> tuple[NDArray[np.float64], float]:
        """Return calibrated probabilities of the candidates ``(C,)`` and of NIL; they add to 1."""
        own, none = self.logits(case)
        values = np.append(own, none + self._offset) / self._temperature
        weights = np.exp(values - values.max())
        weights /= weights.sum()
        return weights[:-1], float(weights[-1])

    def calibrated(self, cases: Sequence[Case]) -> Decision:
        """Return the decision with temperature and NIL's offset of the best likelihood on cases."""
        if not cases:
            return self
        found = [(*self.logits(case), case.gold) for case in cases]
        longest = max(len(own) for own, _, _ in found)
        logits = np.full((len(found), longest + 1), -np.inf)
        gold = np.array([longest if place < 0 else place for _, _, place in found])
        for row, (own, none, _) in enumerate(found):
            logits[row, : len(own)], logits[row, longest] = own, none
        best = (np.inf, 1.0, 0.0)
        for temperature in _TEMPERATURES:
            for offset in _OFFSETS:
                shifted = logits.copy()
                shifted[:, longest] += offset
                loss = _loss(shifted / temperature, gold)
                best = min(best, (loss, float(temperature), float(offset)))
        calibration = np.array(best[1:], dtype=np.float32)
        return Decision({**self.arrays, "calibration": calibration})


PARTS = tuple(
    f"{net}.{layer}.{kind}"
    for net in ("candidate", "nil")
    for layer in (1, 4)
    for kind in ("weight", "bias")
)


def _loss(logits: NDArray[np.float64], gold: NDArray[np.int64]) -> float:
    """Return the mean of -log p(gold)."""
    top = logits.max(axis=1)
    total = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
    return float((total - logits[np.arange(len(gold)), gold]).mean())
