"""Trains the decision (`linkers.decision`) on mentions with their gold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from encoders.optimisers import AdamW
from kg.errors import InputError, SettingError
from kg.progress import Progress, silent
from linkers.cases import Case
from linkers.decision import (
    PARTS,
    Decision,
    DecisionConfig,
    candidate_inputs,
    nil_inputs,
)
from linkers.opinion_cases import OpinionColumns, Opinions, fit_opinions

__all__ = ["fit_decision"]

_Array = NDArray[np.float32]
_UNCALIBRATED = {"calibration": np.array([1.0, 0.0], dtype=np.float32)}


class _Member(nn.Module):
    """One pair of small networks."""

    def __init__(self, inputs: int, nil: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.candidate = _perceptron(inputs, hidden, dropout)
        self.nil = _perceptron(nil, hidden // 2 or 1, dropout)


def _perceptron(inputs: int, hidden: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Dropout(dropout / 2),
        nn.Linear(inputs, hidden),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(hidden, 1),
    )


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A case with the inputs of both networks, made once."""

    case: Case
    inputs: _Array
    nil: _Array
    opinions: Opinions | None

    @classmethod
    def of(cls, case: Case, opinions: Opinions | None) -> _Prepared:
        seen = case if opinions is None else opinions.marked(case)
        inputs = candidate_inputs(seen.signals, seen.marks)
        return cls(case, inputs, nil_inputs(seen.signals, seen.marks), opinions)


def fit_decision(
    cases: Sequence[Case],
    *,
    config: DecisionConfig,
    picture_signals: Sequence[int],
    opinion_columns: OpinionColumns | None = None,
    seed: int,
    progress: Progress = silent,
) -> Decision:
    """Train the decision.

    Args:
        cases: Mentions with their gold.
        config: Sizes and schedule.
        picture_signals: Columns that a mention without a picture has at 0.
        opinion_columns: Signals that opinions rest on; needed where the config wants any.
        seed: Of weights, batches and what is withheld.
        progress: Told passes done over all members.

    Raises:
        InputError: There is no case to learn from.
    """
    shown = [case for case in cases if len(case.signals)]
    if not shown:
        raise InputError("there is no mention to learn a decision from")
    opinions = _opinions(shown, config, opinion_columns, seed)
    told = {} if opinions is None else opinions.arrays()
    if config.opinions == "alone":
        return Decision({**_UNCALIBRATED, "members": np.zeros(1, np.float32), **told})
    usable = [_Prepared.of(case, opinions) for case in shown]
    stacked = np.concatenate([case.inputs for case in usable])
    nil = np.stack([case.nil for case in usable])
    arrays = {
        "mean": stacked.mean(axis=0),
        "spread": np.maximum(stacked.std(axis=0), 1e-2),
        "nil_mean": nil.mean(axis=0),
        "nil_spread": np.maximum(nil.std(axis=0), 1e-2),
        "members": np.array([config.members], dtype=np.float32),
        **_UNCALIBRATED,
        **told,
    }
    for number in range(config.members):
        member = _fit_member(
            usable,
            arrays,
            config,
            list(picture_signals),
            np.random.SeedSequence([seed, number]),
            lambda done, total, n=number: progress(n * total + done, config.members * total),  # type: ignore[misc]
        )
        state = member.state_dict()
        arrays |= {f"{number}.{part}": state[part].numpy().copy() for part in PARTS}
    return Decision(arrays)


def _opinions(
    cases: Sequence[Case], config: DecisionConfig, columns: OpinionColumns | None, seed: int
) -> Opinions | None:
    if config.opinions == "none":
        return None
    if columns is None:
        raise SettingError("opinions need to know which signals are scores of units")
    return fit_opinions(
        cases,
        columns,
        epochs=config.epochs,
        batch=config.batch,
        withhold=config.withhold,
        generator=np.random.default_rng([seed, config.members]),
    )


def _fit_member(
    cases: list[_Prepared],
    scales: dict[str, _Array],
    config: DecisionConfig,
    picture_signals: list[int],
    seed: np.random.SeedSequence,
    progress: Progress,
) -> _Member:
    generator = np.random.default_rng(seed)
    member = _Member(len(scales["mean"]), len(scales["nil_mean"]), config.hidden, config.dropout)
    torch_generator = torch.Generator().manual_seed(int(generator.integers(2**31)))
    _initialise(member, torch_generator)
    optimiser = AdamW(
        member.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    steps = config.epochs * -(-len(cases) // config.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    member.train()
    with torch.random.fork_rng(devices=[]):  # dropout draws from torch's global generator
        torch.manual_seed(int(generator.integers(2**31)))
        for epoch in range(config.epochs):
            order = generator.permutation(len(cases))
            for start in range(0, len(order), config.batch):
                part = [
                    _varied(cases[row], config, picture_signals, generator)
                    for row in order[start : start + config.batch]
                ]
                loss = _batch_loss(member, part, scales)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                schedule.step()
            progress(epoch + 1, config.epochs)
    return member.eval()


def _initialise(member: _Member, generator: torch.Generator) -> None:
    for value in member.parameters():
        with torch.no_grad():
            bound = 1 / np.sqrt(value.shape[-1]) if value.ndim > 1 else 0.0
            value.uniform_(-bound, bound, generator=generator)


def _varied(
    prepared: _Prepared,
    config: DecisionConfig,
    picture_signals: list[int],
    generator: np.random.Generator,
) -> _Prepared:
    """Return a case without its entity or without its picture, now and then."""
    withhold, blind = generator.random(2) < (config.withhold, config.blind)
    case = prepared.case
    withhold = withhold and case.gold >= 0 and len(case.signals) > 1
    blind = blind and bool(case.marks[0]) and bool(case.signals[:, picture_signals].any())
    if not (withhold or blind):
        return prepared
    signals, gold = case.signals.copy(), case.gold
    if blind:
        signals[:, picture_signals] = 0.0
    if withhold:
        signals, gold = np.delete(signals, gold, axis=0), -1
    varied = Case(signals=signals, marks=case.marks, gold=gold, weight=case.weight)
    return _Prepared.of(varied, prepared.opinions)


def _batch_loss(member: _Member, cases: list[_Prepared], scales: dict[str, _Array]) -> Tensor:
    longest = max(len(prepared.inputs) for prepared in cases)
    inputs = np.zeros((len(cases), longest, len(scales["mean"])), dtype=np.float32)
    real = np.zeros((len(cases), longest + 1), dtype=np.bool_)
    target = np.zeros(len(cases), dtype=np.int64)
    for row, prepared in enumerate(cases):
        count = len(prepared.inputs)
        inputs[row, :count] = prepared.inputs
        real[row, :count] = real[row, longest] = True
        target[row] = prepared.case.gold if prepared.case.gold >= 0 else longest
    nil = np.stack([prepared.nil for prepared in cases]) - scales["nil_mean"]
    own = member.candidate(torch.from_numpy((inputs - scales["mean"]) / scales["spread"]))
    none = member.nil(torch.from_numpy(nil / scales["nil_spread"]))
    logits = torch.cat([own.squeeze(-1), none], dim=1)
    logits = logits.masked_fill(~torch.from_numpy(real), -1e9)
    losses = nn.functional.cross_entropy(logits, torch.from_numpy(target), reduction="none")
    weights = torch.tensor([prepared.case.weight for prepared in cases], dtype=torch.float32)
    return (losses * weights).sum() / weights.sum()
