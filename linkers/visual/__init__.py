"""Linking by pictures: kinds of vectors, each aligned from pairs, a bridge to words, one fusion."""

from linkers.visual.alignment import Alignment, AlignmentConfig
from linkers.visual.bridge import Bridge
from linkers.visual.checkpoint import load_matcher, save_matcher
from linkers.visual.fusion import Fusion
from linkers.visual.looks import Looks, look_at
from linkers.visual.maps import Maps, VisualConfig
from linkers.visual.matcher import PictureMatcher
from linkers.visual.sides import MODES, VisualBase, VisualMentions
from linkers.visual.words import WORD_UNITS, WordIndex

__all__ = [
    "MODES",
    "WORD_UNITS",
    "Alignment",
    "AlignmentConfig",
    "Bridge",
    "Fusion",
    "Looks",
    "Maps",
    "PictureMatcher",
    "VisualBase",
    "VisualConfig",
    "VisualMentions",
    "WordIndex",
    "load_matcher",
    "look_at",
    "save_matcher",
]
