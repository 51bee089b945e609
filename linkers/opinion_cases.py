"""Opinions on the cases of the decision: learnt from them, read as probabilities or as marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from encoders.optimisers import Adam
from linkers.cases import Case
from linkers.opinions import EvidenceHead, Opinion, evidential_loss

__all__ = ["OpinionColumns", "Opinions", "fit_opinions"]

_MARK = "opinion."
_LEARNING_RATE = 0.05  # of eleven numbers or so

_Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpinionColumns:
    """Which signals of a case an opinion rests on.

    Attributes:
        units: Scores of units; one is absent where it is 0 for all candidates.
        prior: p(entity | surface); None for even chances.
    """

    units: tuple[int, ...]
    prior: int | None = None


class Opinions:
    """A trained head, and the signals that it looks at.

    Args:
        head: From `fit_opinions`.
        columns: Of the signals.
    """

    def __init__(self, head: EvidenceHead, columns: OpinionColumns) -> None:
        self._head, self._columns = head, columns

    def of(self, cases: Sequence[Case]) -> Opinion:
        """Return the opinion on cases; each as if alone."""
        return self._head(*_inputs(cases, self._columns))  # type: ignore[no-any-return]

    def logits(self, case: Case) -> tuple[NDArray[np.float64], float]:
        """Return log probabilities of the candidates ``(C,)`` and of NIL."""
        with torch.inference_mode():
            found = self.of([case]).probability[0].double().log().numpy()
        return found[:-1], float(found[-1])

    def marked(self, case: Case) -> Case:
        """Return a case whose marks tell how ignorant one is of it, and whether units disagree."""
        with torch.inference_mode():
            opinion = self.of([case])
            told = torch.stack([opinion.ignorance, opinion.conflict], dim=1)[0].numpy()
        return replace(case, marks=np.concatenate([case.marks, told.astype(np.float32)]))

    def arrays(self) -> dict[str, _Array]:
        """Return what `read` needs."""
        state = {name: value.numpy().copy() for name, value in self._head.state_dict().items()}
        prior = -1 if self._columns.prior is None else self._columns.prior
        state["columns"] = np.array([prior, *self._columns.units], dtype=np.float32)
        return {f"{_MARK}{name}": np.atleast_1d(value) for name, value in state.items()}

    @classmethod
    def read(cls, arrays: Mapping[str, _Array]) -> Self | None:
        """Return what `arrays` gave; None where there is no such part among them."""
        own = {
            name.removeprefix(_MARK): value
            for name, value in arrays.items()
            if name.startswith(_MARK)
        }
        if not own:
            return None
        prior, *units = (int(column) for column in own.pop("columns"))
        head = EvidenceHead(len(units))
        shapes = {name: value.shape for name, value in head.state_dict().items()}
        head.load_state_dict(
            {name: torch.from_numpy(own[name].reshape(shape)) for name, shape in shapes.items()}
        )
        return cls(head, OpinionColumns(units=tuple(units), prior=None if prior < 0 else prior))


def fit_opinions(
    cases: Sequence[Case],
    columns: OpinionColumns,
    *,
    epochs: int,
    batch: int,
    withhold: float,
    generator: np.random.Generator,
) -> Opinions:
    """Learn a head by the evidential loss.

    Args:
        cases: Mentions with their gold.
        columns: Of the signals.
        epochs: Passes over the mentions.
        batch: Mentions a step.
        withhold: Share of mentions that lose their entity in a pass, and are NIL.
        generator: Draws batches and these.
    """
    head = _fresh(cases, columns)
    optimiser = Adam(head.parameters(), lr=_LEARNING_RATE)
    for epoch in range(epochs):
        order = generator.permutation(len(cases))
        for start in range(0, len(order), batch):
            part = [
                _withheld(cases[row]) if generator.random() < withhold else cases[row]
                for row in order[start : start + batch].tolist()
            ]
            logits, present, prior, candidates = _inputs(part, columns)
            last = candidates.shape[1]
            gold = torch.tensor([last if case.gold < 0 else case.gold for case in part])
            weights = torch.tensor([case.weight for case in part])
            losses = evidential_loss(head(logits, present, prior, candidates), gold, epoch=epoch)
            loss = (losses * weights).sum() / weights.sum()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return Opinions(head.eval(), columns)


def _fresh(cases: Sequence[Case], columns: OpinionColumns) -> EvidenceHead:
    """Return a head that knows how the logits of each unit lie where it is present."""
    logits, present, _, candidates = _inputs(cases, columns)
    there = (present[:, :, None] & candidates[:, None]).transpose(0, 1)
    found = [unit[kept] for unit, kept in zip(logits.transpose(0, 1), there, strict=True)]
    usable = [values if len(values) > 1 else torch.tensor([-1.0, 1.0]) for values in found]
    mean = torch.stack([values.mean() for values in usable])
    spread = torch.stack([values.std().clamp_min(1e-3) for values in usable])
    return EvidenceHead(len(columns.units), mean=mean, spread=spread)


def _withheld(case: Case) -> Case:
    if case.gold < 0:
        return case
    return replace(case, signals=np.delete(case.signals, case.gold, axis=0), gold=-1)


def _inputs(
    cases: Sequence[Case], columns: OpinionColumns
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return logits, presence, prior and candidates as `EvidenceHead` takes them."""
    longest = max(1, *(len(case.signals) for case in cases))
    logits = np.zeros((len(cases), len(columns.units), longest), dtype=np.float32)
    prior = np.zeros((len(cases), longest), dtype=np.float32)
    candidates = np.zeros((len(cases), longest), dtype=np.bool_)
    for row, case in enumerate(cases):
        count = len(case.signals)
        logits[row, :, :count] = case.signals[:, list(columns.units)].T
        candidates[row, :count] = True
        if columns.prior is not None:
            prior[row, :count] = case.signals[:, columns.prior]
    present = (logits != 0).any(axis=2)
    arrays = (logits, present, prior, candidates)
    return tuple(torch.from_numpy(array) for array in arrays)  # type: ignore[return-value]
