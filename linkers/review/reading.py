"""Cases from what linking wrote: a file of links and the mentions they belong to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from kg.errors import RecordError
from kg.formats.jsonl import read_jsonl
from kg.formats.records import Reject
from kg.formats.tables import TableFiles, read_table
from kg.model import EntityKey
from linkers.model import Candidate, Link, LinkState, Mention
from linkers.records import MentionColumns, mention_of
from linkers.review.model import Case, case_of

__all__ = ["REVIEWED", "read_cases"]

REVIEWED: frozenset[LinkState] = frozenset({"review", "nil"})
"""States that a person looks at, if not told otherwise."""


def read_cases(
    links: Path,
    mentions: Path | None = None,
    *,
    columns: MentionColumns | None = None,
    states: Collection[LinkState] = REVIEWED,
) -> Iterator[Case]:
    """Iterate the cases of a file of links, in its order.

    Where several rows have one id, as in a folder of tables that each count from 1, the first link
    of that id belongs to the first of them, and so on: links stand in the order of the rows.

    Args:
        links: Output of ``umbra link run`` (JSON Lines or Parquet) or ``umbra link text``.
        mentions: The mentions that were linked; not needed for the links of a text, which hold
            their words themselves.
        columns: Which column of the mentions holds what.
        states: States of links that become cases.

    Raises:
        RecordError: A row is no link, its mention is missing, or a file is.
    """
    seen: Counter[str] = Counter()
    chosen = []
    for link, fields, line in _links(links):
        if link.state in states:
            chosen.append((link, fields, line, seen[link.mention]))
        seen[link.mention] += 1
    held: dict[str, list[tuple[Mention, str]]] = {}
    if mentions is not None:
        wanted = {link.mention for link, *_ in chosen}
        held = _mentions(mentions, columns or MentionColumns(), wanted)
    for link, fields, line, place in chosen:
        found = held.get(link.mention, [])[place : place + 1]
        if mentions is None and "surface" in fields:
            found = [(_of_text(fields, path=links.name, line=line), "")]
        if not found:
            raise RecordError(
                f"no mention {link.mention!r:.80}",
                path=str(links),
                line=line,
                hint="name the file of mentions with --mentions",
            )
        mention, source = found[0]
        yield case_of(mention, link, source=source)


def _links(path: Path) -> Iterator[tuple[Link, Mapping[str, Any], int]]:
    for row in read_table(path) if path.suffix == ".parquet" else read_jsonl(path):
        if isinstance(row, Reject):
            raise RecordError(row.reason, path=str(path), line=row.line)
        try:
            yield _link(row.fields), row.fields, row.line
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RecordError(
                f"not a link ({error!r:.80})",
                path=str(path),
                line=row.line,
                hint="give the output of `umbra link run` or `umbra link text --out`",
            ) from error


def _mentions(
    path: Path, columns: MentionColumns, wanted: Collection[str]
) -> dict[str, list[tuple[Mention, str]]]:
    """Return the mentions that are wanted, by id, each with its file as records of edges name it.

    Rows that cannot be read were rejects when linked.
    """
    found: dict[str, list[tuple[Mention, str]]] = {}
    files = TableFiles.of(path)
    for number, name in enumerate(files.names):
        for row in files.rows(number):
            if isinstance(row, Reject):
                continue
            try:
                mention = mention_of(row.fields, columns, path=name, line=row.line)
            except RecordError:
                continue
            if mention.id in wanted:
                found.setdefault(mention.id, []).append((mention, name))
    return found


def _link(fields: Mapping[str, Any]) -> Link:
    if fields["state"] not in get_args(LinkState):
        raise ValueError(f"state {fields['state']!r:.40}")
    entity = fields["entity"]
    return Link(
        mention=str(fields["mention"] if "mention" in fields else fields["id"]),
        state=fields["state"],
        entity=None if entity is None else EntityKey(str(entity)),
        probability=float(fields["probability"]),
        nil_probability=float(fields["nil_probability"]),
        reason=fields.get("reason"),
        candidates=tuple(
            Candidate(
                entity=EntityKey(str(row["entity"])),
                score=float(row.get("score", 0.0)),
                probability=float(row["probability"]),
                signals={str(k): float(v) for k, v in dict(row.get("signals") or {}).items()},
            )
            for row in fields["candidates"]
        ),
    )


def _of_text(fields: Mapping[str, Any], *, path: str, line: int) -> Mention:
    """Return the mention of a line of ``umbra link text``; its place counts in the whole text."""
    first = fields.get("context_start")
    places = [fields.get(name) for name in ("start", "end")]
    if not isinstance(first, int) or not all(isinstance(place, int) for place in places):
        raise RecordError("not the link of a text", path=path, line=line)
    start, end = (int(place or 0) - first for place in places)
    values = {**fields, "start": start, "end": end}
    return mention_of(values, MentionColumns(surface="surface"), path=path, line=line)
