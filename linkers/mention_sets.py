"""Published mention sets and sets of entities, read from JSON lines.

A row of mentions: ``id``, ``mention`` (or ``mention_keyword``), ``context``, ``entity_id`` (null
for none of the base), ``split``, and ``document`` or ``caption_id``. A row of entities:
``entity_id``, ``name``, and perhaps ``aliases``, ``annotation``, ``tags``, ``description``. A
benchmark is read whole or not at all: a bad row is an error and no reject, or the figures would be
over other mentions than they say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kg.errors import InputError, RecordError
from kg.formats.jsonl import read_jsonl
from kg.formats.records import Reject
from kg.model import EntityKey
from linkers.boosted.entity_table import EntityTable
from linkers.model import Mention
from linkers.records import MAX_CONTEXT, MAX_NAME, MAX_SURFACE

__all__ = ["MentionSet", "oddities", "read_entity_table", "read_mention_set"]

MAX_ROWS = 5_000_000
MAX_ALIASES = 200
_SURFACES = ("mention", "mention_keyword")
_DOCUMENTS = ("document", "caption_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class MentionSet:
    """Mentions with what they mean.

    Attributes:
        mentions: The mentions.
        gold: Key of each one's entity; None for NIL.
        splits: Split of each; "" where the file has none.
    """

    mentions: tuple[Mention, ...] = ()
    gold: tuple[EntityKey | None, ...] = ()
    splits: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of mentions."""
        return len(self.mentions)

    def part(self, split: str) -> MentionSet:
        """Return one split; all of a set without splits.

        Example:
            >>> MentionSet(mentions=(Mention(id="1", surface="Peru"),), gold=(None,),
            ...            splits=("test",)).part("train").mentions
            ()
        """
        if not any(self.splits):
            return self
        return self.only([row for row, name in enumerate(self.splits) if name == split])

    def judged(self, split: str, *, where: Path) -> MentionSet:
        """Return a split that is needed; all of a set without splits.

        Args:
            split: Its name.
            where: The file of the set.

        Raises:
            InputError: No mention is of it; the splits that there are are named.
        """
        part = self.part(split)
        if not len(part):
            raise InputError(
                f"no mention is of the split {split!r}",
                where=str(where),
                hint=f"its splits are {', '.join(sorted(set(self.splits)))}",
            )
        return part

    def only(self, rows: Sequence[int]) -> MentionSet:
        """Return some mentions, in the order given."""
        return MentionSet(
            mentions=tuple(self.mentions[row] for row in rows),
            gold=tuple(self.gold[row] for row in rows),
            splits=tuple(self.splits[row] for row in rows),
        )


def oddities(whole: MentionSet, split: str) -> Iterator[str]:
    """Yield what a user should know of a set of which one split is judged.

    Example:
        >>> two = MentionSet(mentions=(Mention(id="1", surface="Peru"),) * 2, gold=(None,) * 2,
        ...                  splits=("test", "dev"))
        >>> list(oddities(two, "test"))
        ["nothing looks at 1 of 2 mentions: 1 of the split 'dev'"]
    """
    if any(whole.splits):
        used = {"train", "valid", "test", split}
        left = Counter(name for name in whole.splits if name not in used)
        told = [
            f"{n:,} of the split {name!r}" if name else f"{n:,} without a split"
            for name, n in sorted(left.items())
        ]
        if told:
            yield (
                f"nothing looks at {left.total():,} of {len(whole):,} mentions: {', '.join(told)}"
            )
    judged = whole.part(split)
    again = len(judged) - len({mention.id for mention in judged.mentions})
    if again:
        yield f"{again:,} of {len(judged):,} mentions have the id of an earlier one: each is judged"


def read_mention_set(path: Path, *, wordless: bool = False) -> MentionSet:
    """Read a file of mentions, plain or gzip.

    Args:
        path: The file.
        wordless: Whether a row may have neither words nor a text, since it has a picture.

    Raises:
        RecordError: The file is missing, or a row is no mention; with line and column.
        InputError: The file holds no mention, or no row says what its mention means.
    """
    mentions, gold, splits, labelled = [], [], [], False
    for row in _rows(path):
        labelled = labelled or row.has("entity_id")
        surface = row.text(*_SURFACES, limit=MAX_SURFACE)
        context = row.text("context", limit=MAX_CONTEXT)
        if not wordless and not surface.strip() and not context.strip():
            raise row.error("neither words nor a text", _SURFACES[0])
        start = context.find(surface) if surface else -1
        mentions.append(
            Mention(
                id=row.text("id", limit=MAX_NAME) or f"{path.name}:{row.line}",
                surface=surface,
                context=context,
                start=None if start < 0 else start,
                end=None if start < 0 else start + len(surface),
                document=row.text(*_DOCUMENTS, limit=MAX_NAME) or None,
            )
        )
        key = row.text("entity_id", limit=MAX_NAME)
        gold.append(EntityKey(key) if key else None)
        splits.append(row.text("split", limit=MAX_NAME))
    if not mentions:
        raise InputError("the file holds no mention", where=str(path))
    if not labelled:  # else all would be judged as mentions of none
        raise InputError(
            "no row says what its mention means",
            where=str(path),
            hint="the column entity_id holds an entity's key, null where none of the base is meant",
        )
    return MentionSet(mentions=tuple(mentions), gold=tuple(gold), splits=tuple(splits))


def read_entity_table(path: Path) -> EntityTable:
    """Read a file of entities, plain or gzip; rows of one key give one entity with all their names.

    An entity without any name is called by its key: a picture may be all that is known of it.

    Raises:
        RecordError: The file is missing, or a row is no entity; with line and column.
        InputError: The file holds no entity.
    """
    names: dict[EntityKey, dict[str, None]] = {}
    notes: dict[EntityKey, dict[str, None]] = {}
    for row in _rows(path):
        key = EntityKey(row.text("entity_id", limit=MAX_NAME))
        name = row.text("name", limit=MAX_SURFACE).strip()
        if not key:
            raise row.error("an entity needs an id", "entity_id")
        if not name and row.text("mention", limit=MAX_SURFACE):
            raise row.error(
                "a mention stands where an entity should: are the files mixed up?", "name"
            )
        own = names.setdefault(key, {})
        own.update({name: None} if name else {})
        for column in ("annotation", "aliases", "tags"):
            own.update(dict.fromkeys(row.texts(column)))
        if len(own) > MAX_ALIASES:
            raise row.error(f"more than {MAX_ALIASES} names", "aliases")
        if note := row.text("description", limit=MAX_CONTEXT):
            notes.setdefault(key, {})[note] = None
    keys = sorted(names)
    return EntityTable(
        keys=tuple(keys),
        names=tuple(tuple(names[key]) or (key,) for key in keys),
        notes=tuple(" ".join(notes.get(key, ())) for key in keys),
    )


class _Row:
    """Typed access to one row; every error names its line and column."""

    def __init__(self, path: Path, line: int, values: Mapping[str, Any]) -> None:
        self.line = line
        self._path, self._values = path, values

    def error(self, what: str, column: str) -> RecordError:
        return RecordError(what, path=str(self._path), line=self.line, column=column)

    def has(self, column: str) -> bool:
        """Tell whether the row has a column, be it empty."""
        return column in self._values

    def text(self, *columns: str, limit: int) -> str:
        """Return the value of the first column that has one."""
        for column in columns:
            value = self._values.get(column)
            if isinstance(value, int) and not isinstance(value, bool):
                value = str(value)
            if value is None:
                continue
            return self._checked(value, column, limit)
        return ""

    def texts(self, column: str) -> list[str]:
        """Return a column of one text or of several, empty ones left out."""
        value = self._values.get(column)
        values = value if isinstance(value, list) else [] if value is None else [value]
        found = [self._checked(v, column, MAX_SURFACE).strip() for v in values]
        return [text for text in found if text]

    def _checked(self, value: Any, column: str, limit: int) -> str:
        if not isinstance(value, str):
            raise self.error(f"a text is needed, not {type(value).__name__}", column)
        if len(value) > limit:
            raise self.error(f"longer than {limit:,} characters", column)
        # half of a surrogate pair is valid JSON, but no text that could be encoded
        return value.encode("utf-8", "replace").decode()


def _rows(path: Path) -> list[_Row]:
    rows: list[_Row] = []
    for item in read_jsonl(path):
        if isinstance(item, Reject):
            raise RecordError(
                item.reason,
                path=str(path),
                line=item.line,
                column=item.column,
                hint="sets are JSON Lines, plain or gzip" if item.line == 1 else None,
            )
        if len(rows) == MAX_ROWS:
            raise RecordError(
                f"more than {MAX_ROWS:,} rows",
                path=str(path),
                line=item.line,
                hint="link it as a job: umbra link run",
            )
        rows.append(_Row(path, item.line, item.fields))
    return rows
