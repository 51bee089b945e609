"""An index of very many entities: built, asked, added to, asked again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.linking_speed_work import Clock, Work, forget_peak, peak_mb
from encoders.padding import unit
from encoders.protocols import TextEncoder
from kg.model import EntityKey
from linkers.boosted import BoostedLinker, EntityTable, PooledTexts
from linkers.boosted.checkpoint import load_parts
from linkers.boosted.name_index import NameIndex
from linkers.evidence import window
from linkers.model import Mention

__all__ = ["link_to_many"]

_ROUNDS = 20
"""After which names of a small base get a number, or there would not be enough."""

Floats = NDArray[np.float32]


class GivenNames(PooledTexts):
    """Vectors of made names: the mean of the two real names that each was made of.

    Args:
        encoder: Names the encoder that the linker knows.
        real: Vectors of real names.
        names: Real and made names.
        parents: ``(names, 2)`` which real names each is made of.
    """

    def __init__(
        self, encoder: TextEncoder, real: Floats, names: Sequence[str], parents: NDArray[np.int64]
    ) -> None:
        super().__init__(encoder)
        self._real, self._parents = real, parents
        self._places = {name: place for place, name in enumerate(names)}

    def matrix(self, texts: Sequence[str], **options: Any) -> Floats:
        """Return vectors of names, and of what was given."""
        if texts and all(text in self._places for text in texts):
            rows = self._parents[[self._places[text] for text in texts]]
            return unit(self._real[rows[:, 0]] + self._real[rows[:, 1]])
        return super().matrix(texts, **options)


def made_names(real: Sequence[str], count: int, seed: int) -> tuple[list[str], NDArray[np.int64]]:
    """Return names, the real ones first, then the words of two real names in one; and parents."""
    generator = np.random.default_rng(seed)
    names = dict.fromkeys(real)
    parents = [(place, place) for place in range(len(names))]
    words = [name.split() for name in names]
    rounds = 0
    while len(names) < count:
        rounds += 1
        for one, other in generator.integers(len(words), size=(count - len(names), 2)).tolist():
            left, right = words[one], words[other]
            name = " ".join((*left[: (len(left) + 1) // 2], *right[len(right) // 2 :]))
            name = name if rounds < _ROUNDS else f"{name} {rounds}"
            if name not in names:
                names[name] = None
                parents.append((one, other))
    return list(names), np.array(parents, dtype=np.int64)


def link_to_many(work: Work, size: int, more: int, queries: int, start: Any) -> dict[str, Any]:
    """Index a great number of entities, ask, add some, and ask for them."""
    table, texts = work.table(), work.texts()
    first_names = [names[0] for names in table.names]
    distinct = list(dict.fromkeys(first_names))
    real = texts.matrix(distinct)
    asked = work.mentions()[:queries]
    needed = list(dict.fromkeys(t for m in asked for t in (m.surface, window(m))))
    vectors = texts.matrix(needed)
    texts.forget()
    wanted = size - len(table)  # the real ones come first: what the linker remembers is theirs
    names, parents = made_names(distinct, len(distinct) + wanted + more, seed=0)
    made = names[len(distinct) :]
    keys = [EntityKey(f"made:{place}") for place in range(len(made))]
    whole = EntityTable(
        keys=(*table.keys, *keys[:wanted]),
        names=(*table.names, *((name,) for name in made[:wanted])),
    )
    added = EntityTable(keys=tuple(keys[wanted:]), names=tuple((name,) for name in made[wanted:]))
    given = GivenNames(texts.encoder, real, names, parents)
    parts = load_parts(work.kept / "linker", table, texts.encoder)
    forget_peak()
    before = peak_mb()
    start()
    clocks = {name: Clock() for name in ("build", "ask", "add", "ask again")}
    clocks["build"].go()
    index = NameIndex(whole, given)
    for name in ("by_name", "_by_ends", "numbers"):
        getattr(whole, name)
    clocks["build"].stop()
    linker = BoostedLinker(index, parts.memory, parts.ranker, parts.verdict)
    given.give(needed, vectors)
    found: dict[str, Any] = {"n": size, "queries": len(asked), "before_mb": before}
    for kind in ("ask", "ask again"):
        linker.index.forget_surfaces()
        clocks[kind].go()
        for ranked in linker.rank(asked):
            ranked.best()
        clocks[kind].stop()
        if kind == "ask":
            found["peak_mb"] = peak_mb()
            clocks["add"].go()
            index.add(added)
            clocks["add"].stop()
            given.give(needed, vectors)
    one = Mention(id="new", surface=names[-1], context=names[-1])
    given.give([names[-1]], unit(real[parents[-1]].mean(axis=0)[None]))
    (ranked,) = linker.rank([one])
    found["finds the last that was added"] = bool(
        len(whole) + more - 1 in ranked.described.pairs.ids
    )
    found["peak_with_more_mb"] = peak_mb()
    found["seconds"] = {name: {"wall": c.wall, "cpu": c.cpu} for name, c in clocks.items()}
    return found | {"added": more}
