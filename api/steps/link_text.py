"""The step that finds the mentions of a plain text and links them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from api.steps.open_linker import LinkerChoice, open_linker
from api.text_schemas import CandidateOut, TextLinkOut, TextLinksOut
from kg.errors import LimitError, RecordError
from kg.files import atomic_write
from kg.model import EntityKey
from kg.progress import Progress, silent

if TYPE_CHECKING:
    from api.engine import Engine
    from api.held_linker import HeldLinker
    from linkers.documents import SpotFinder, TextLink
    from linkers.protocols import MentionLinker

__all__ = ["TextSource", "link_by", "link_held", "link_plain_text", "read_text", "write_links"]

_BYTES_A_CHARACTER = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSource:
    """How a text is called, and who finds and links its mentions.

    Attributes:
        name: Of the text; ids of its mentions begin with it.
        classifier: Folder of a `transformers` token classifier that finds further mentions.
        linker: Which linker.
    """

    name: str = "text"
    classifier: Path | None = None
    linker: LinkerChoice = field(default_factory=LinkerChoice)


def link_plain_text(
    engine: Engine,
    text: str,
    source: TextSource | None = None,
    *,
    progress: Progress = silent,
) -> TextLinksOut:
    """Find the mentions of a text and link them to entities of the graph.

    Args:
        engine: Whose entities the mentions may mean.
        text: Plain text, at most `linkers.documents.MAX_TEXT` characters.
        source: How it is called, and who finds and links its mentions.
        progress: Told mentions done of all.

    Raises:
        LimitError: The text is too long, or holds too many mentions.
        InputError: It is no text that could be encoded.
        MissingPartError: No linker was trained, or the classifier's folder is no such folder.
    """
    from linkers.documents import check_text

    given = source or TextSource()
    check_text(text)  # before models are opened
    further: list[SpotFinder] = []
    if given.classifier is not None:
        from linkers.token_classifier import TokenClassifier

        further.append(TokenClassifier(given.classifier))
    return _linked(open_linker(engine, given.linker), text, given.name, further, progress)


def link_held(held: HeldLinker, text: str, *, name: str) -> TextLinksOut:
    """Link a text by a server's open linker; else as `link_plain_text`."""
    with held.lent() as linker:
        return link_by(linker, text, name=name)


def link_by(linker: MentionLinker, text: str, *, name: str) -> TextLinksOut:
    """Link a text by an open linker; else as `link_plain_text`."""
    return _linked(linker, text, name, [], silent)


def _linked(
    linker: MentionLinker, text: str, name: str, further: Sequence[SpotFinder], progress: Progress
) -> TextLinksOut:
    from linkers.documents import link_text
    from linkers.gazetteer import Gazetteer

    finders = [Gazetteer(linker.base), *further]
    found = link_text(linker, text, name=name, finders=finders, progress=progress)
    base = linker.base
    names = {key: own[0] if own else key for key, own in zip(base.keys, base.names, strict=True)}
    mentions = tuple(_shown(row, names) for row in found)
    return TextLinksOut(text=name, characters=len(text), mentions=mentions)


def _shown(found: TextLink, names: Mapping[EntityKey, str]) -> TextLinkOut:
    link = found.link
    return TextLinkOut(
        id=found.mention.id,
        start=found.spot.start,
        end=found.spot.end,
        surface=found.mention.surface,
        finder=found.spot.finder,
        state=link.state,
        entity=link.entity,
        name=None if link.entity is None else names[link.entity],
        probability=link.probability,
        nil_probability=link.nil_probability,
        reason=link.reason,
        context=found.mention.context,
        context_start=found.spot.start - (found.mention.start or 0),
        candidates=tuple(
            CandidateOut(
                entity=candidate.entity,
                name=names[candidate.entity],
                probability=candidate.probability,
                signals=dict(candidate.signals),
            )
            for candidate in link.candidates
        ),
    )


def read_text(path: Path) -> str:
    """Read a text file in UTF-8, with or without a byte order mark.

    Raises:
        RecordError: It is missing, no file, or not UTF-8.
        LimitError: It is longer than any text that is linked.
    """
    from linkers.documents import MAX_TEXT

    if not path.is_file():
        raise RecordError("no such text file", path=str(path), hint="name a file in UTF-8")
    most = MAX_TEXT * _BYTES_A_CHARACTER
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise LimitError(
            f"more than {most:,} bytes in one text",
            where=str(path),
            hint="split it, or make it a file of mentions for `umbra link run`",
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecordError(
            f"byte {error.start} is no UTF-8", path=str(path), hint="convert the file to UTF-8"
        ) from error


def write_links(path: Path, mentions: Iterable[TextLinkOut]) -> None:
    """Write mentions as JSON Lines, atomically; equal links are equal bytes."""
    with atomic_write(path) as file:
        for mention in mentions:
            row = mention.model_dump(mode="json")
            file.write(json.dumps(row, ensure_ascii=False, sort_keys=True).encode() + b"\n")
