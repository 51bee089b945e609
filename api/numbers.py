"""Missing numbers of entities, named as people name them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.edge_texts import NamedEntities
from api.schemas import NumberOut
from reasoning.numbers import predict_number

if TYPE_CHECKING:
    from api.engine import Engine

__all__ = ["find_number"]


def find_number(engine: Engine, entity: str, attribute: str, *, coverage: float) -> NumberOut:
    """Return a number of an entity; see `Engine.number`."""
    snapshot = engine.snapshot
    key = NamedEntities(snapshot).key(entity)
    found = predict_number(snapshot, key, attribute, coverage=coverage)
    return NumberOut(
        key=key,
        name=snapshot.names[snapshot.entity_id(key)],
        attribute=attribute,
        status=found.status,
        value=found.value,
        low=found.low,
        high=found.high,
        coverage=found.coverage,
        because=found.because,
    )
