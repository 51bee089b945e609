"""Linking to large sets of entities that have names and little else: candidates, trees, verdict."""

from linkers.boosted.checkpoint import is_boosted, load_linker, save_linker
from linkers.boosted.entity_table import EntityTable
from linkers.boosted.linker import BoostedLinker, Ranked
from linkers.boosted.ranker import Ranker, RankerConfig
from linkers.boosted.texts import PooledTexts
from linkers.boosted.training import Material, gather, train_ranker
from linkers.boosted.trees import Forest, TreeConfig
from linkers.boosted.verdict import Verdict

__all__ = [
    "BoostedLinker",
    "EntityTable",
    "Forest",
    "Material",
    "PooledTexts",
    "Ranked",
    "Ranker",
    "RankerConfig",
    "TreeConfig",
    "Verdict",
    "gather",
    "is_boosted",
    "load_linker",
    "save_linker",
    "train_ranker",
]
