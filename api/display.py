"""Answers, hits and pictures as Jupyter shows them: small, escaped HTML without scripts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from api.neighbours_svg import SHOWN, neighbours_svg
from kg.errors import InputError

if TYPE_CHECKING:
    from api.engine import Engine
    from api.schemas import AnswersOut, EntityOut
    from api.search.schemas import SearchOut

__all__ = ["Picture", "answers_html", "entity_html", "hits_html", "picture_of"]


def answers_html(answers: AnswersOut) -> str:
    """Return answers as a table, known ones first."""
    warnings = _warnings(answers.warnings)
    if answers.count is not None:
        count = answers.count
        return f"{warnings}<p>{count.known} known, {count.expected_likely:.1f} more likely</p>"
    if answers.rows is not None:
        rows = ([cell.name for cell in row] for row in answers.rows.rows)
        return warnings + _table(answers.rows.columns, rows) + _more(answers.next)
    told = (
        [answer.name, answer.key, answer.label, answer.status, f"{answer.probability:.3f}"]
        for answer in answers.answers
    )
    columns = ("name", "key", "label", "status", "probability")
    return warnings + _table(columns, told) + _more(answers.next)


def hits_html(found: SearchOut) -> str:
    """Return hits as a table, with the first text that holds words of the query."""
    rows = (
        [hit.name, hit.key, hit.label, hit.highlights[0].text if hit.highlights else ""]
        for hit in found.hits
    )
    table = _table(("name", "key", "label", "why"), rows)
    return _warnings(found.warnings) + table + _more(found.next)


def entity_html(entity: EntityOut) -> str:
    """Return an entity as its attributes beside a drawing of what it is joined to."""
    told = {"key": entity.key, "label": entity.label, "also": ", ".join(entity.aliases)}
    told |= {name: str(value) for name, value in sorted(entity.attributes.items())}
    rows = ([name, value] for name, value in told.items() if value)
    left = len(entity.edges) - SHOWN
    least = "at least " if entity.truncated else ""
    more = f"<p>{least}{left} more edges</p>" if left > 0 else ""
    table = _table((entity.name, ""), rows)
    return f"<div>{neighbours_svg(entity)}{more}{table}</div>"


def picture_of(engine: Engine, key: str) -> Picture:
    """Return a picture of an entity; see `Engine.picture`."""
    from api.overlay import drawn, outlined

    found = engine.entity(key, limit=1)
    if found.part is not None:
        picture = engine.images.path(found.part.image).read_bytes()
        return Picture(outlined(picture, found.part).decode())
    if not found.images:
        raise InputError(f"{found.name} has no picture", where=key)
    image = found.images[0]
    picture = engine.images.path(image.sha256).read_bytes()
    return Picture(drawn(picture, image.width, image.height, found.name).decode())


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as a notebook shows it.

    Attributes:
        svg: One file that needs nothing else.
    """

    svg: str

    def _repr_svg_(self) -> str:
        return self.svg


def _warnings(texts: Iterable[str]) -> str:
    return "".join(f"<p><em>{escape(text)}</em></p>" for text in texts)


def _more(cursor: str | None) -> str:
    """Say that a table is a page of a longer one."""
    return "" if cursor is None else "<p>and more: ask again with <code>after=</code> its next</p>"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
