"""What if and why not: edits that a caller names, what they change, and what an answer lacks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from api.edge_texts import NamedEntities, edge_parts
from api.proof_schemas import ChangeOut, ChangesOut, LinkOut, WhyNotOut
from api.views import AnswerViews
from kg.snapshot import Snapshot
from reasoning.explanations.edges import edges_in
from reasoning.protocols import Answerer, Edits
from reasoning.query import Query
from reasoning.what_if import Change, Changes, edits_of

if TYPE_CHECKING:
    from api.engine import Engine

__all__ = ["EdgeText", "changes_out", "explain_absence", "named_edits"]

EdgeText = str | Sequence[str]
"""An edge as ``"head relation tail"`` or as its three parts."""


def named_edits(
    assume: Iterable[EdgeText], without: Iterable[EdgeText], snapshot: Snapshot
) -> Edits | None:
    """Return the edits that a caller names, None if there are none.

    Raises:
        InputError: A text is no edge, or an edge is both added and taken away.
        UnknownEntityError: An end of an edge is not in the snapshot.
        UnknownRelationError: A relation is not in the snapshot.
    """
    named = NamedEntities(snapshot)
    added, removed = (
        [named.edge(edge_parts(edge) if isinstance(edge, str) else edge) for edge in edges]
        for edges in (assume, without)
    )
    return edits_of(added, removed) if added or removed else None


def changes_out(changes: Changes, views: AnswerViews) -> ChangesOut:
    """Show what edits change."""

    def shown(change: Change) -> ChangeOut:
        return ChangeOut(
            key=change.entity,
            name=views.name(change.entity),
            before=None if change.before is None else round(change.before.probability, 6),
            after=None if change.after is None else round(change.after.probability, 6),
        )

    return ChangesOut(
        assumed=tuple(sorted(changes.edits.added)),
        without=tuple(sorted(changes.edits.removed)),
        new=tuple(map(shown, changes.new)),
        gone=tuple(map(shown, changes.gone)),
        moved=tuple(map(shown, changes.moved)),
    )


def explain_absence(
    engine: Engine,
    question: str | Mapping[str, Any] | Query,
    entity: str,
    *,
    parameters: Mapping[str, Any] | None = None,
    assume: Sequence[EdgeText] = (),
    without: Sequence[EdgeText] = (),
) -> WhyNotOut:
    """Say why an entity is no better answer of a question; see `Engine.why_not`."""
    from reasoning.why_not import why_not

    snapshot = engine.snapshot
    tree = engine.reading(question, parameters).tree
    key = NamedEntities(snapshot).key(entity)
    edits = named_edits(assume, without, snapshot)
    chosen, _ = engine.answerer("symbolic")
    found = why_not(tree, key, _symbolic(chosen, engine), edits=edits)
    views = AnswerViews(snapshot, engine.records(), getattr(chosen, "reasons", None))
    views.read_edges(edges_in(found.proof.tree))
    needed = tuple(
        LinkOut(kind=link.kind, text=link.text, truth=round(link.truth, 6)) for link in found.needed
    )
    weakest = found.weakest
    return WhyNotOut(
        key=key,
        name=views.name(key),
        truth=round(found.truth, 6),
        better=found.better,
        weakest=None if weakest is None else needed[found.needed.index(weakest)],
        needed=needed,
        proof=views.proof(found.proof),
    )


def _symbolic(answerer: Answerer, engine: Engine) -> Any:
    """Return the symbolic answerer; without a trained model one that predicts nothing."""
    from reasoning.predictors import NoPredictor
    from reasoning.symbolic.answerer import SymbolicAnswerer
    from reasoning.symbolic.config import SymbolicConfig

    if isinstance(answerer, SymbolicAnswerer):
        return answerer
    config = SymbolicConfig(known_probability=engine.settings.known_probability)
    return SymbolicAnswerer(engine.snapshot, NoPredictor(engine.snapshot.num_entities), config)
