"""Which attributes there are, and of which types their values are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from kg.model import AttributeValue

__all__ = ["AttributeTypes", "SeenAttribute"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenAttribute:
    """An attribute as its values are.

    Attributes:
        of: Label of the entities, or relation of the edges.
        name: Its name.
        types: How many values are of each type.
    """

    of: str
    name: str
    types: Mapping[str, int]


@dataclass(slots=True)
class AttributeTypes:
    """Counts the types of values.

    Example:
        >>> seen = AttributeTypes()
        >>> seen.see("City", {"people": 3, "names": ("a", "b")})
        >>> [(one.name, dict(one.types)) for one in seen.all()]
        [('names', {'str[]': 1}), ('people', {'int': 1})]
    """

    _types: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)

    def see(self, of: str, attributes: Mapping[str, AttributeValue]) -> None:
        """Count some values of a label or relation."""
        for name, value in attributes.items():
            self._types.setdefault((of, name), Counter())[_type(value)] += 1

    def all(self) -> tuple[SeenAttribute, ...]:
        """Return all attributes, in the order of what has them and of their names."""
        return tuple(
            SeenAttribute(of=of, name=name, types=dict(types))
            for (of, name), types in sorted(self._types.items())
        )


def _type(value: AttributeValue) -> str:
    if isinstance(value, tuple):
        return f"{_type(value[0])}[]" if value else "list"
    return type(value).__name__
