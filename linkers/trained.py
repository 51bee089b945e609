"""What training a linker leaves."""

from __future__ import annotations

from dataclasses import dataclass

from linkers.config import LinkerConfig
from linkers.decision import Decision
from linkers.distillation import Student
from linkers.foreign_words import ForeignWords
from linkers.matching import MatchingNetwork
from linkers.priors import Priors

__all__ = ["Trained"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What training leaves; it does not know the base.

    Attributes:
        config: Settings.
        network: The matching network.
        decision: The calibrated decision.
        priors: What surfaces meant in the training links.
        encoders: Fingerprint of the encoders it was trained with.
        student: The search that learnt from the network; None without one.
        foreign: Words that are foreign to the base it was trained on; None without any.
    """

    config: LinkerConfig
    network: MatchingNetwork
    decision: Decision
    priors: Priors
    encoders: str
    student: Student | None = None
    foreign: ForeignWords | None = None
