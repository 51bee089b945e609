"""Answering a question: read it, pick who answers, rank, and show with names and records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from api.answer_pages import AnswerPage, row_cursor, rows_after
from api.explaining import EdgeText, changes_out, named_edits
from api.schemas import AnswersOut, CellOut, CountOut, RowProofOut, RowsOut
from api.steps.fold_in import is_folded_in
from api.views import AnswerViews
from kg.errors import LimitError, SettingError
from kg.model import EntityKey
from kg.spans import span
from reasoning.answers import Answers
from reasoning.comparisons import unheld_attributes
from reasoning.counting import count_answers
from reasoning.joins import bindings
from reasoning.notations import Reading, write_pattern, write_query
from reasoning.of_each import OfEach
from reasoning.pattern_proofs import row_proofs
from reasoning.patterns import Pattern
from reasoning.protocols import Edits
from reasoning.query import Query, structure_name
from reasoning.what_if import COMPARED, Changes, compared

if TYPE_CHECKING:
    from api.engine import AnswererName, Engine
    from reasoning.protocols import Answerer

__all__ = ["answer_question", "check_k", "k_of_each", "within_limit"]

STATUSES = ("known", "likely")


def answer_question(
    engine: Engine,
    question: str | Mapping[str, Any] | Query,
    *,
    k: int,
    answerer: AnswererName,
    parameters: Mapping[str, Any] | None,
    proofs: bool,
    assume: Sequence[EdgeText] = (),
    without: Sequence[EdgeText] = (),
    after: str | None = None,
) -> AnswersOut:
    """Answer a question; see `Engine.ask`."""
    check_k(engine, k)
    with span("question.read"):
        reading = engine.reading(question, parameters)
    chosen, warnings = engine.answerer(answerer)
    limit = (reading.limit or None) if isinstance(question, str) else None
    edits = named_edits(assume, without, engine.snapshot)
    if isinstance(reading.asked, Pattern):
        return _rows_out(
            engine, reading.asked, k, edits, limit, after, counted=reading.counted, proofs=proofs
        )
    page = AnswerPage.of(after)
    k = within_limit(k, limit, page.told)
    with span("question.answer", answerer=answerer, k=k):
        [result] = chosen.answer([reading.tree], k, edits=edits, with_proofs=proofs, each=page.each)
    with span("question.records"):
        records = engine.records()
        views = AnswerViews(engine.snapshot, records, getattr(chosen, "reasons", None))
        views.read(result.answers)
    changes, more = None, result.more
    if edits is not None:
        found, gone_on = _changes(chosen, reading.tree, edits, k, page.told, result)
        changes, more = changes_out(found, views), more or gone_on
    return AnswersOut(
        query=write_query(result.query, "json"),
        text=question if isinstance(question, str) else None,
        structure=structure_name(result.query),
        answerer=answerer,
        snapshot=engine.snapshot.hash,
        answers=tuple(map(views.answer, result.answers)),
        total_known=result.total_known,
        next=page.next(result.answers, k, limit, more=more),
        bound=result.bound,
        changes=changes,
        count=_count_out(engine, chosen, reading, edits),
        warnings=(
            *warnings,
            *_unheld(engine, (result.query,)),
            *_growth(engine, answerer),
            *_staleness(engine, records.version),
        ),
    )


def check_k(engine: Engine, k: int) -> None:
    """Refuse a number of answers that is none, or more than the settings allow.

    Raises:
        SettingError: It is out of range.
    """
    if not 1 <= k <= engine.settings.max_answers:
        raise SettingError(f"k is {k}, it may be 1 to {engine.settings.max_answers}")


def within_limit(k: int, limit: int | None, told: int) -> int:
    """Return how many answers a page may have, of those that a text's LIMIT leaves."""
    return k if limit is None else max(1, min(k, limit - told))


def _count_out(
    engine: Engine, answerer: Answerer, reading: Reading, edits: Edits | None
) -> CountOut | None:
    """Return the count that a text asks for."""
    if not reading.counted:
        return None
    found = count_answers(answerer, reading.tree, engine.snapshot.num_entities, edits=edits)
    return CountOut(known=found.known, expected_likely=found.expected_likely)


def _rows_out(
    engine: Engine,
    pattern: Pattern,
    k: int,
    edits: Edits | None,
    limit: int | None,
    after: str | None,
    *,
    counted: bool,
    proofs: bool,
) -> AnswersOut:
    """Answer a pattern: rows over known edges, since no interpreter ranks likely ones."""
    edges = engine.known_edges.with_edits(edits)
    snapshot = edges.snapshot
    with span("question.join"):
        found = bindings(pattern, edges)
    left, told = rows_after(found, after, snapshot.entities)
    k = within_limit(k, limit, told)
    shown = left[:k]
    rows = tuple(
        tuple(
            CellOut(key=snapshot.entities.name(int(cell)), name=snapshot.names[cell])
            for cell in row
        )
        for row in shown
    )
    more = len(left) > k and (limit is None or told + k < limit)
    count = CountOut(known=len(found), expected_likely=0.0) if counted else None
    warnings = ["a cycle or several variables: known answers only, predicted edges do not join"]
    if edits is not None:
        warnings.append("rows under what is assumed: what differs is told of one variable only")
    reasons: tuple[RowProofOut, ...] = ()
    records = engine.records()
    if proofs and not counted:
        try:
            proved = row_proofs(pattern, shown, edges)
        except LimitError:
            warnings.append("the rows have too many bindings to show what each rests on")
        else:
            views = AnswerViews(snapshot, records)
            views.read_edges(edge for proof in proved for edge in proof.edges)
            reasons = tuple(map(views.row, proved))
    return AnswersOut(
        query=write_pattern(pattern),
        answerer="exact",
        snapshot=snapshot.hash,
        answers=(),
        total_known=len(found),
        next=row_cursor(told + k, [cell.key for cell in rows[-1]]) if more else None,
        count=count,
        rows=RowsOut(columns=pattern.answer, rows=rows, total=len(found), proofs=reasons),
        warnings=(
            *warnings,
            *_unheld(engine, (tree for _, tree in pattern.conditions)),
            *_staleness(engine, records.version),
        ),
    )


def k_of_each(
    answerer: Answerer, tree: Query, k: int, *, with_proofs: bool, edits: Edits | None = None
) -> Answers:
    """Return up to k known and up to k likely answers: known ones must not push likely ones out."""
    return answerer.answer([tree], k, edits=edits, with_proofs=with_proofs, each=OfEach())[0]


def _best(found: Answers, k: int) -> set[EntityKey]:
    """Return the k best of each status."""
    groups = ([one for one in found.answers if one.status == status] for status in STATUSES)
    return {answer.entity for group in groups for answer in group[:k]}


def _changes(
    answerer: Answerer, tree: Query, edits: Edits, k: int, told: int, shown: Answers
) -> tuple[Changes, bool]:
    """Return what edits change on a page, and whether the graph as it is has answers beyond it.

    A change belongs to the page on which its entity comes first, before or after, so that each is
    told once.
    """
    far = told + k + COMPARED
    before = k_of_each(answerer, tree, far, with_proofs=False)
    after = k_of_each(answerer, tree, far, with_proofs=False, edits=edits)
    until = _best(before, told + k)
    here = until | {answer.entity for answer in shown.answers}
    changes = compared(before, after, edits, here - _best(before, told) - _best(after, told))
    return changes, len(until) < len(before.answers)


def _unheld(engine: Engine, conditions: Iterable[Query]) -> Iterator[str]:
    """Say which attributes of a question nothing has: conditions on them hold of no entity."""
    from difflib import get_close_matches

    for name in unheld_attributes(conditions, engine.snapshot):
        near = get_close_matches(name, list(engine.snapshot.attributes), n=3)
        meant = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
        yield f"no entity has the attribute {name!r}{meant}"


def _growth(engine: Engine, answerer: AnswererName) -> tuple[str, ...]:
    """Say so if the graph has grown since the model that answers was trained."""
    if answerer != "symbolic" or not is_folded_in(engine):
        return ()
    return ("the graph has grown since `umbra train`: what is new is folded in, not learned",)


def _staleness(engine: Engine, version: int) -> tuple[str, ...]:
    """Say so if the store has changed since the snapshot was made."""
    step = f"snapshot-{engine.snapshot_name}"
    if not engine.workspace.step(step).exists():
        return ()
    seen = engine.workspace.recorded(step).get("store_version")
    if seen is None or seen == version:
        return ()
    return ("the graph has changed since this snapshot was made (run `umbra train`)",)
