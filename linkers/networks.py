"""The matching network that a config names."""

from __future__ import annotations

import torch

from linkers.cosine_start import CosineStart
from linkers.m3el_paper import PaperNetwork
from linkers.matching import MatchingConfig, MatchingNetwork

__all__ = ["matching_network"]


def matching_network(config: MatchingConfig, *, generator: torch.Generator) -> MatchingNetwork:
    """Return a fresh network of the formulas and the start that a config names.

    Args:
        config: Its shape.
        generator: Draws the initial weights.

    Example:
        >>> config = MatchingConfig(text_dimension=4, image_dimension=3, formulas="paper")
        >>> type(matching_network(config, generator=torch.Generator())).__name__
        'PaperNetwork'
    """
    if config.formulas != "mended":
        return PaperNetwork(config, generator=generator)
    kind = CosineStart if config.start == "cosine" else MatchingNetwork
    return kind(config, generator=generator)
