"""Questions and links as pandas DataFrames: tables in, tables out (extra `pandas`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from kg.errors import InputError, MissingPartError

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]

    from api.engine import Engine
    from api.schemas import AnswersOut
    from api.search.schemas import SearchOut

__all__ = ["ask_frame", "link_frame", "search_frame"]

_ANSWER = ("key", "name", "label", "status", "probability", "score")
_HIT = ("key", "name", "label", "score")
_LINK = ("entity", "name", "state", "probability", "nil_probability", "reason")


def ask_frame(
    engine: Engine, question: Any, *, every: bool = False, **options: Any
) -> pd.DataFrame:
    """Ask a question and return its answers, one a row, known ones first.

    Args:
        engine: The graph.
        question: As in `Engine.ask`.
        every: All answers, however many, by pages of `k` (of the setting `max_answers` if no k is
            given); else those of one page.
        **options: As there: k, parameters, answerer, assume, without.

    Returns:
        Columns key, name, label, status, probability and score; for a question with several
        variables a column of keys for each, and one of names (``NAME_name``); for a count the
        columns known and expected_likely.

    Raises:
        MissingPartError: pandas is not installed.
    """
    asked = {"proofs": False, **({"k": engine.settings.max_answers} if every else {}), **options}
    pages: list[AnswersOut] = [engine.ask(question, **asked)]
    while every and pages[-1].next is not None:
        pages.append(engine.ask(question, **{**asked, "after": pages[-1].next}))
    first = pages[0]
    if first.count is not None:
        return _frame([first.count.model_dump()], ("known", "expected_likely"))
    if first.rows is not None:
        columns = [c for name in first.rows.columns for c in (name, f"{name}_name")]
        rows = (row for page in pages if page.rows is not None for row in page.rows.rows)
        cells = ([v for cell in row for v in (cell.key, cell.name)] for row in rows)
        return _frame([dict(zip(columns, row, strict=True)) for row in cells], columns)
    answers = sorted((a for page in pages for a in page.answers), key=lambda a: a.status != "known")
    return _frame((answer.model_dump(include=set(_ANSWER)) for answer in answers), _ANSWER)


def search_frame(engine: Engine, text: str, **options: Any) -> pd.DataFrame:
    """Search and return the hits, one a row: key, name, label, score.

    Args:
        engine: The graph.
        text: What to look for.
        **options: k and labels, as in `HybridSearch`.
    """
    found: SearchOut = engine.search(text, **options)
    return _frame((hit.model_dump(include=set(_HIT)) for hit in found.hits), _HIT)


def link_frame(
    engine: Engine, frame: pd.DataFrame, *, surface: str, context: str | None = None
) -> pd.DataFrame:
    """Link a column of a table to entities of the graph.

    Args:
        engine: The graph, with a trained linker.
        frame: A table; it stays as it is.
        surface: Column of the words to link; a missing value is no mention.
        context: Column of the text around them.

    Returns:
        A copy with the columns entity, name, state, probability, nil_probability and reason, on
        the same index; they are missing where the words are.

    Raises:
        InputError: The table lacks a column, or has one that would be written.
        MissingPartError: No linker was trained, or pandas is not installed.
    """
    from api.steps.open_linker import open_linker
    from linkers import Mention

    for column in (surface, context):
        if column is not None and column not in frame.columns:
            raise InputError(f"the table has no column {column!r}", where="frame")
    if taken := [name for name in _LINK if name in frame.columns]:
        raise InputError(f"the table has a column {taken[0]!r} already", where="frame")
    texts = [_text(value) for value in frame[surface]]
    around = texts if context is None else [_text(value) for value in frame[context]]
    mentions = [
        Mention(id=str(row), surface=text, context=told).placed()
        for row, (text, told) in enumerate(zip(texts, around, strict=True))
        if text.strip()
    ]
    linker = open_linker(engine)
    names = {
        key: own[0] if own else key
        for key, own in zip(linker.base.keys, linker.base.names, strict=True)
    }
    rows: list[dict[str, Any]] = [dict.fromkeys(_LINK)] * len(frame)
    for link in linker.link(mentions):
        name = None if link.entity is None else names[link.entity]
        found = {field: getattr(link, field) for field in _LINK if field != "name"}
        rows[int(link.mention)] = {**found, "name": name}
    linked = _frame(rows, _LINK)
    linked.index = frame.index
    # not a join: it would pair all rows that share a label of the index
    return frame.assign(**{name: linked[name] for name in _LINK})


def _text(value: object) -> str:
    """Return a cell as text; None, NaN and NA are empty."""
    if value is None or str(value) == "<NA>":  # NA first: it is neither true nor false
        return ""
    return "" if value != value else str(value)


def _frame(rows: Iterable[dict[str, Any]], columns: Iterable[str]) -> pd.DataFrame:
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingPartError(
            "pandas is not installed", hint="pip install 'umbra-kg[pandas]'"
        ) from error
    return pd.DataFrame(list(rows), columns=list(columns))
