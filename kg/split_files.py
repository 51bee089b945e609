"""The files of a graph folder's splits, in the forms in which public data sets are handed out.

- ``train.tsv.gz``, ``.tsv`` or ``.txt``: head, relation, tail with tabs (FB15k-237, WN18RR, MyGO);
  a ``.txt`` may have spaces instead and a dot at the end (MoMoK). Where they are integers and
  ``entity2id.txt`` or ``relation2id.txt`` stands beside them, the integers become the names there.
- ``train2id.txt``: head, tail, relation (in this order) as integers, with ``entity2id.txt`` and
  ``relation2id.txt`` (OpenKE). A first line that is one number counts the others.
- Integers in which relation r + 1 (r even) has the very edges of r the other way round, in every
  file (BetaE): only r is kept, since a graph holds both directions of an edge anyway. The pickles
  beside them are never read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kg.errors import InputError, LimitError, MissingPartError
from kg.formats.records import Reject
from kg.triple_files import MAX_TRIPLES, TripleFile, columns_of, lines_of, read_triples

__all__ = ["SPLITS", "SplitFiles", "read_splits", "refuse", "split_file"]

SPLITS = ("train", "valid", "test")
_ENDINGS = (".tsv.gz", ".tsv", ".txt")
_HINT = (
    "a graph folder holds train.tsv.gz (also .tsv, .txt; head, relation, tail with tabs),"
    " or train2id.txt, entity2id.txt and relation2id.txt as OpenKE has them"
)


@dataclass(frozen=True, kw_only=True, eq=False)
class SplitFiles:
    """What the files say.

    Attributes:
        triples: The triples of each split that has a file, in names.
        entities: Names by integer, where ``entity2id.txt`` tells those of all triples.
        relations: The same for relations.
    """

    triples: Mapping[str, TripleFile]
    entities: tuple[str, ...] | None = field(default=None, repr=False)
    relations: tuple[str, ...] | None = field(default=None, repr=False)


def read_splits(folder: Path, rejects: list[Reject] | None = None) -> SplitFiles:
    """Read the splits of a folder.

    Args:
        folder: The folder.
        rejects: Takes the lines that are no triples, which are then left out; without it the
            first of them is an error.

    Raises:
        MissingPartError: There is no training file, or a list of names is missing.
        InputError: A file cannot be read; file and line are named.
        LimitError: A file has more than `MAX_TRIPLES` lines.
    """
    entities = _numbered_names(folder / "entity2id.txt")
    relations = _numbered_names(folder / "relation2id.txt")
    files = {name: split_file(folder, name) for name in SPLITS}
    if files["train"] is not None:
        triples = {name: _read(path, rejects) for name, path in files.items() if path is not None}
        return _named(_without_inverses(triples), entities, relations)
    if not (folder / "train2id.txt").is_file():
        raise MissingPartError("no training edges", where=str(folder), hint=_HINT)
    if entities is None or relations is None:
        raise MissingPartError(
            "train2id.txt without entity2id.txt and relation2id.txt", where=str(folder), hint=_HINT
        )
    openke = {name: folder / f"{name}2id.txt" for name in SPLITS}
    return SplitFiles(
        triples={
            name: _read_openke(path, entities, relations, rejects)
            for name, path in openke.items()
            if path.is_file()
        },
        entities=entities,
        relations=relations,
    )


def split_file(folder: Path, name: str) -> Path | None:
    """Return the file of a split of names; None where there is none."""
    found = (folder / f"{name}{ending}" for ending in _ENDINGS)
    return next((path for path in found if path.is_file()), None)


def _read(path: Path, rejects: list[Reject] | None) -> TripleFile:
    """Read a file with tabs, or with spaces if its first line has no tab."""
    first = next((line for line in lines_of(path) if line), "")
    if path.suffix != ".txt" or "\t" in first or not _spaced(first):
        return read_triples(path, rejects)
    rows: list[list[str]] = []
    for number, line in enumerate(lines_of(path), start=1):
        parts = _spaced(line)
        if parts:
            rows.append(parts)
            _check_count(len(rows), path)
        elif line.strip():
            refuse("expected head, relation, tail with spaces", path, number, line, rejects)
    return columns_of(rows)


def refuse(expected: str, path: Path, number: int, line: str, rejects: list[Reject] | None) -> None:
    """Put a line that is not as expected among the rejects; without such a list it is an error.

    Raises:
        InputError: There is no list; file and line are named.
    """
    if rejects is None:
        raise InputError(f"{expected}, got {line[:80]!r}", where=f"{path}:{number}")
    rejects.append(Reject(file=path.name, line=number, column=None, reason=expected, text=line))


def _spaced(line: str) -> list[str]:
    """Return head, relation and tail of a line with spaces; empty if it is none."""
    parts = line.split()
    if len(parts) == 4 and parts[3] == ".":
        parts.pop()
    return parts if len(parts) == 3 else []


def _read_openke(
    path: Path,
    entities: tuple[str, ...],
    relations: tuple[str, ...],
    rejects: list[Reject] | None,
) -> TripleFile:
    """Read lines of head, tail and relation, integers below the length of their list."""
    sizes = (len(entities), len(entities), len(relations))
    rows = []
    for number, line in enumerate(lines_of(path), start=1):
        parts = line.split()
        if not parts or (number == 1 and len(parts) == 1):
            continue
        whole = len(parts) == 3 and all(part.isascii() and part.isdigit() for part in parts)
        row = [int(part) if len(part) < 10 else -1 for part in parts] if whole else []
        if not whole or not all(0 <= i < size for i, size in zip(row, sizes, strict=True)):
            refuse("expected the numbers of head, tail and relation", path, number, line, rejects)
            continue
        rows.append(row)
        _check_count(len(rows), path)
    numbers = np.array(rows, dtype=np.int32).reshape(-1, 3)[:, [0, 2, 1]]
    return TripleFile(names=(entities, relations, entities), numbers=numbers)


def _check_count(count: int, path: Path) -> None:
    if count > MAX_TRIPLES:
        raise LimitError(f"more than {MAX_TRIPLES} lines", where=str(path))


def _numbered_names(path: Path) -> tuple[str, ...] | None:
    """Read lines of a name and its number; the numbers must be 0, 1, 2 … in some order."""
    if not path.is_file():
        return None
    found: dict[int, str] = {}
    for number, line in enumerate(lines_of(path), start=1):
        name, _, last = line.rstrip().rpartition("\t" if "\t" in line else " ")
        if not line.strip() or (number == 1 and not name):
            continue
        place = int(last) if last.isascii() and last.isdigit() and len(last) < 10 else -1
        if place < 0 or not name.strip() or place in found:
            raise InputError(
                f"expected a name and a number of its own, got {line[:80]!r}",
                where=f"{path}:{number}",
            )
        found[place] = name.strip()
    if sorted(found) != list(range(len(found))) or len(set(found.values())) != len(found):
        raise InputError("numbers are missing, or a name has several", where=str(path))
    return tuple(found[place] for place in range(len(found)))


def _named(
    triples: Mapping[str, TripleFile],
    entities: tuple[str, ...] | None,
    relations: tuple[str, ...] | None,
) -> SplitFiles:
    """Replace integers by the names of their list; a list that does not fit is left out."""
    ends = {name for file in triples.values() for c in (0, 2) for name in file.names[c]}
    middles = {name for file in triples.values() for name in file.names[1]}
    name_of, entities = _table(ends, entities)
    relation_of, relations = _table(middles, relations)
    tables = (name_of, relation_of, name_of)
    return SplitFiles(
        triples={
            split: replace(
                file,
                names=tuple(
                    tuple(table.get(name, name) for name in names)
                    for names, table in zip(file.names, tables, strict=True)
                ),
            )
            for split, file in triples.items()
        },
        entities=entities,
        relations=relations,
    )


def _table(
    used: set[str], names: tuple[str, ...] | None
) -> tuple[dict[str, str], tuple[str, ...] | None]:
    """Return what replaces the names in use, and the list if they are its names or numbers."""
    if names is None or used <= set(names):
        return {}, names
    table = {str(number): name for number, name in enumerate(names)}
    return (table, names) if used <= set(table) else ({}, None)


def _without_inverses(triples: Mapping[str, TripleFile]) -> dict[str, TripleFile]:
    """Drop odd relations if they are the even ones the other way round, in every file."""
    kept = {split: _forward(file) for split, file in triples.items()}
    found = {}
    for split, file in triples.items():
        rows = kept[split]
        if rows is None:
            return dict(triples)
        numbers = file.numbers[rows]
        used, numbers[:, 1] = np.unique(numbers[:, 1], return_inverse=True)
        heads, relations, tails = file.names
        names = (heads, tuple(relations[place] for place in used), tails)
        found[split] = replace(file, names=names, numbers=numbers)
    return found


def _forward(file: TripleFile) -> NDArray[np.bool_] | None:
    """Return which lines have an even relation; None unless the odd ones mirror them."""
    if not all(name.isascii() and name.isdigit() and len(name) < 10 for name in file.names[1]):
        return None
    relation = np.array([int(name) for name in file.names[1]], dtype=np.int64)
    place = {name: n for n, name in enumerate(dict.fromkeys(file.names[0] + file.names[2]))}
    heads, tails = (
        np.array([place[name] for name in file.names[c]], dtype=np.int64)[file.numbers[:, c]]
        for c in (0, 2)
    )
    relations = relation[file.numbers[:, 1]]
    even = relations % 2 == 0
    if even.sum() * 2 != len(even):
        return None
    forward = np.stack([relations, heads, tails], axis=1)[even]
    backward = np.stack([relations - 1, tails, heads], axis=1)[~even]
    both = [rows[np.lexsort(rows.T[::-1])] for rows in (forward, backward)]
    return even if np.array_equal(*both) else None
