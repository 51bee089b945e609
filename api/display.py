"""Answers, hits and pictures as Jupyter shows them: small, escaped HTML without scripts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.schemas import AnswersOut
    from api.search.schemas import SearchOut

__all__ = ["answers_html", "hits_html"]


def answers_html(answers: AnswersOut) -> str:
    """Return answers as a table, known ones first."""
    if answers.count is not None:
        count = answers.count
        return f"<p>{count.known} known, {count.expected_likely:.1f} more likely</p>"
    if answers.rows is not None:
        rows = ([cell.name for cell in row] for row in answers.rows.rows)
        return _table(answers.rows.columns, rows)
    told = (
        [answer.name, answer.key, answer.label, answer.status, f"{answer.probability:.3f}"]
        for answer in answers.answers
    )
    warnings = "".join(f"<p><em>{escape(text)}</em></p>" for text in answers.warnings)
    return warnings + _table(("name", "key", "label", "status", "probability"), told)


def hits_html(found: SearchOut) -> str:
    """Return hits as a table, with the first text that holds words of the query."""
    rows = (
        [hit.name, hit.key, hit.label, hit.highlights[0].text if hit.highlights else ""]
        for hit in found.hits
    )
    return _table(("name", "key", "label", "why"), rows)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
