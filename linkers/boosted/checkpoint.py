"""A boosted linker on disk: arrays as safetensors, everything else as JSON; no pickle."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from encoders.protocols import TextEncoder
from kg.config_fields import restored
from kg.described_arrays import Arrays, DescribedArrays
from kg.errors import InputError
from kg.model import EntityKey
from kg.progress import Progress, silent
from linkers.boosted.entity_table import EntityTable
from linkers.boosted.features import FEATURES
from linkers.boosted.fingerprint import boosted_fingerprint
from linkers.boosted.hints import Hints
from linkers.boosted.linker import BoostedLinker
from linkers.boosted.memory import Memory
from linkers.boosted.name_index import NameIndex
from linkers.boosted.ranker import Ranker, RankerConfig
from linkers.boosted.texts import PooledTexts
from linkers.boosted.trees import Forest, TreeConfig
from linkers.boosted.verdict import Verdict
from linkers.model import Mention

__all__ = ["FORMAT", "BoostedParts", "is_boosted", "load_linker", "load_parts", "save_linker"]

FORMAT = 1
_FILES = DescribedArrays(kind="boosted linker", stem="boosted", format=FORMAT)
_CONTEXTS = "memory.contexts"


def save_linker(linker: BoostedLinker, folder: Path) -> None:
    """Write a linker; the description comes last and names the arrays by hash.

    The entities are not written: a linker works on any table. What training mentions said is, so
    their words and the vectors of their texts are in the folder.

    Args:
        linker: The linker.
        folder: Is made if missing.
    """
    memory, keys = linker.memory, linker.index.table.keys
    parts: Arrays = {_CONTEXTS: memory.contexts}
    if linker.ranker.forest is not None:
        parts |= _prefixed("ranker.", linker.ranker.forest.arrays())
    if linker.verdict is not None:
        parts |= _prefixed("verdict.", linker.verdict.arrays())
    for hints in memory.hints:
        parts |= _prefixed(f"hints.{hints.source}.", hints.arrays())
    links = [
        [surface, str(document), None if entity < 0 else keys[entity]]
        for surface, document, entity in zip(
            memory.surfaces, memory.documents, memory.gold, strict=True
        )
    ]
    _FILES.write(
        folder,
        {
            "config": asdict(linker.ranker.config),
            "encoder": linker.index.texts.encoder.fingerprint,
            "features": list(FEATURES),
            "verdict": None if linker.verdict is None else linker.verdict.to_json(),
            "hints": [hints.to_json() for hints in memory.hints],
            "links": links,
        },
        parts,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BoostedParts:
    """What a training left, on a table of entities; nothing of them is encoded yet.

    Attributes:
        table: The entities.
        memory: Of training links.
        ranker: The trees.
        verdict: How sure lists are.
    """

    table: EntityTable
    memory: Memory
    ranker: Ranker
    verdict: Verdict | None

    def fingerprint(self, encoder: str) -> str:
        """Return the fingerprint of the linker that they make with an encoder of this name."""
        return boosted_fingerprint(
            self.table, self.memory, self.ranker, self.verdict, encoder=encoder
        )

    def linker(self, texts: PooledTexts, *, progress: Progress = silent) -> BoostedLinker:
        """Return the linker; names are encoded."""
        index = NameIndex(self.table, texts, progress=progress)
        return BoostedLinker(index, self.memory, self.ranker, self.verdict)


def is_boosted(folder: Path) -> bool:
    """Tell whether a folder holds what `save_linker` writes."""
    return _FILES.description(folder).exists()


def load_linker(folder: Path, table: EntityTable, texts: PooledTexts) -> BoostedLinker:
    """Open what `save_linker` wrote, on a table of entities; else as `load_parts`."""
    return load_parts(folder, table, texts.encoder).linker(texts)


def load_parts(folder: Path, table: EntityTable, encoder: TextEncoder) -> BoostedParts:
    """Read what `save_linker` wrote, for a table of entities.

    Args:
        folder: Where it lies.
        table: Entities; memories of others are dropped.
        encoder: That of the training.

    Raises:
        MissingPartError: Nothing was saved there.
        ForeignFileError: Something else lies there, or the arrays belong to another training.
        FormatVersionError: It is of another format.
        InputError: It was trained with another encoder.
    """
    values = _FILES.read(folder)
    if values.get("encoder") != encoder.fingerprint:
        raise InputError(
            f"the linker was trained with the encoder {values.get('encoder')}, "
            f"not with {encoder.fingerprint}",
            hint="train it again, or name its encoder in the settings",
        )
    with _FILES.opened(folder) as arrays:
        ranker, verdict, memory = _read(values, arrays, table)
        width = memory.contexts.shape
        if width != (len(memory.gold), encoder.dimension):
            raise InputError(f"text vectors of shape {width}")
    return BoostedParts(table=table, memory=memory, ranker=ranker, verdict=verdict)


def _read(
    values: dict[str, Any], arrays: Arrays, table: EntityTable
) -> tuple[Ranker, Verdict | None, Memory]:
    if values["features"] != list(FEATURES):
        raise InputError("features of another version")
    settings = dict(values["config"])
    trees = TreeConfig(**restored(TreeConfig, settings["trees"]))
    config = RankerConfig(**restored(RankerConfig, {**settings, "trees": trees}))
    own = _without("ranker.", arrays)
    ranker = Ranker(config=config, forest=Forest.of_arrays(own) if own else None)
    if ranker.forest is not None and ranker.forest.columns != len(config.columns):
        raise InputError("trees of other features")
    verdict = None
    if values["verdict"] is not None:
        verdict = Verdict.of(values["verdict"], _without("verdict.", arrays))
    mentions, gold = [], []
    for surface, document, key in values["links"]:
        mentions.append(Mention(id="", surface=surface, document=document))
        gold.append(-1 if key is None else table.ids.get(EntityKey(key), -1))
    hints = [
        Hints.of(counted, _without(f"hints.{counted['source']}.", arrays))
        for counted in values["hints"]
    ]
    return ranker, verdict, Memory(mentions, gold, arrays[_CONTEXTS], hints)


def _prefixed(prefix: str, arrays: Arrays) -> Arrays:
    return {f"{prefix}{name}": value for name, value in arrays.items()}


def _without(prefix: str, arrays: Arrays) -> Arrays:
    return {n.removeprefix(prefix): v for n, v in arrays.items() if n.startswith(prefix)}
