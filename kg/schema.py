"""A schema: which labels, relations and attributes a graph may have, and how many edges; TOML.

closed = true                      # labels and relations that are not named are wrong

[labels.Country.attributes]
population = "int"
area = { type = "float", required = true }

[relations.capital_of]
domain = ["City"]
range = ["Country"]
max_out = 1                        # a city is the capital of one country at most
max_in = 1
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from kg.declared_fields import DeclaredFields
from kg.errors import MappingError
from kg.model import AttributeValue, Edge, Entity
from kg.value_types import TYPES

__all__ = ["AttributeRule", "Broken", "GraphSchema", "LabelRule", "RelationRule", "load_schema"]

_PYTHON: Mapping[str, type] = {"str": str, "int": int, "float": float, "bool": bool}


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeRule:
    """What an attribute must be.

    Attributes:
        type: A name of `kg.value_types.TYPES`, with ``[]`` for a list; None for any.
        required: Whether it must be there.
    """

    type: str | None = None
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRule:
    """What entities of a label must be."""

    attributes: Mapping[str, AttributeRule]


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationRule:
    """What edges of a relation must be.

    Attributes:
        domain: Labels of heads; empty for any.
        range: Labels of tails; empty for any.
        min_out: Fewest edges out of an entity of the domain.
        max_out: Most edges out of one entity.
        min_in: Fewest edges into an entity of the range.
        max_in: Most edges into one entity.
        attributes: Attributes of the edge.
    """

    domain: tuple[str, ...] = ()
    range: tuple[str, ...] = ()
    min_out: int | None = None
    max_out: int | None = None
    min_in: int | None = None
    max_in: int | None = None
    attributes: Mapping[str, AttributeRule] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Broken:
    """One way in which something does not fit.

    Attributes:
        rule: The rule in the schema, as ``relations.borders.range``.
        reason: What is wrong.
        lacks: The attribute that is not there, if that is what is wrong.
    """

    rule: str
    reason: str
    lacks: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphSchema:
    """A schema that was checked.

    Attributes:
        labels: Rules by label.
        relations: Rules by relation.
        closed: Whether other labels and relations are wrong.
    """

    labels: Mapping[str, LabelRule]
    relations: Mapping[str, RelationRule]
    closed: bool = False

    def entity(self, entity: Entity) -> Iterator[Broken]:
        """Yield how an entity breaks the schema.

        Example:
            >>> from kg.model import EntityKey
            >>> rule = LabelRule(attributes={"born": AttributeRule(type="int", required=True)})
            >>> schema = GraphSchema(labels={"Person": rule}, relations={})
            >>> ada = Entity(key=EntityKey("a"), label="Person", name="Ada")
            >>> [broken.reason for broken in schema.entity(ada)]
            ['there is no born']
        """
        rule = self.labels.get(entity.label)
        if rule is not None:
            yield from _attributes(f"labels.{entity.label}", rule.attributes, entity.attributes)
        elif self.closed:
            yield Broken("labels", f"the label {entity.label} is not in the schema")

    def required_of(self, label: str) -> frozenset[str]:
        """Return the attributes that an entity of a label must have."""
        rule = self.labels.get(label)
        rules = {} if rule is None else rule.attributes
        return frozenset(name for name, one in rules.items() if one.required)

    def edge(self, edge: Edge, head: str | None, tail: str | None) -> Iterator[Broken]:
        """Yield how an edge breaks the schema, counts aside.

        Args:
            edge: The edge.
            head: Label of its head; None if that is not known.
            tail: Label of its tail.
        """
        rule = self.relations.get(edge.relation)
        if rule is None:
            if self.closed:
                yield Broken("relations", f"the relation {edge.relation} is not in the schema")
            return
        place = f"relations.{edge.relation}"
        for name, label, allowed in (("domain", head, rule.domain), ("range", tail, rule.range)):
            if label is not None and allowed and label not in allowed:
                end = edge.head if name == "domain" else edge.tail
                yield Broken(f"{place}.{name}", f"{end} is a {label}, not {' or '.join(allowed)}")
        yield from _attributes(place, rule.attributes, edge.attributes)


def load_schema(path: Path) -> GraphSchema:
    """Read and check a schema.

    Raises:
        MappingError: It is missing, is not TOML, or names an unknown field or type.
    """
    try:
        root = DeclaredFields(tomllib.loads(path.read_text(encoding="utf-8")), "the schema", path)
    except FileNotFoundError as error:
        raise MappingError("no such schema", where=str(path)) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise MappingError(f"not a schema in TOML: {error}", where=str(path)) from error
    closed = root.take("closed", bool, False)
    labels = {name: _label(fields) for name, fields in _named(root, "labels")}
    relations = {name: _relation(fields, labels) for name, fields in _named(root, "relations")}
    root.refuse_rest()
    return GraphSchema(labels=labels, relations=relations, closed=closed)


def _named(fields: DeclaredFields, name: str) -> Iterator[tuple[str, DeclaredFields]]:
    for key, values in fields.take(name, dict, {}).items():
        if not isinstance(values, dict):
            raise fields.error(name, f"write [{name}.{key}]")
        yield key, DeclaredFields(values, f"{name}.{key}", fields.path)


def _label(fields: DeclaredFields) -> LabelRule:
    rule = LabelRule(attributes=_declared(fields))
    fields.refuse_rest()
    return rule


def _relation(fields: DeclaredFields, labels: Mapping[str, LabelRule]) -> RelationRule:
    ends = {}
    for name in ("domain", "range"):
        ends[name] = tuple(fields.take(name, list, []))
        unknown = [label for label in ends[name] if label not in labels]
        if unknown:
            raise fields.error(name, f"there is no [labels.{unknown[0]}]")
    counts = {}
    for name in ("min_out", "max_out", "min_in", "max_in"):
        counts[name] = fields.take(name, int, None)
        if counts[name] is not None and counts[name] < 0:
            raise fields.error(name, "less than 0")
    rule = RelationRule(
        domain=ends["domain"], range=ends["range"], attributes=_declared(fields), **counts
    )
    for fewest, place in ((rule.min_out, "domain"), (rule.min_in, "range")):
        if fewest and not ends[place]:
            raise fields.error(place, "a smallest number of edges needs it: of which entities?")
    fields.refuse_rest()
    return rule


def _declared(fields: DeclaredFields) -> dict[str, AttributeRule]:
    found = {}
    for name, value in fields.take("attributes", dict, {}).items():
        declared: Any = {"type": value} if isinstance(value, str) else value
        if not isinstance(declared, dict):
            raise fields.error(f"attributes.{name}", "write a type, or { type = …, required = … }")
        inner = DeclaredFields(declared, f"{fields.place}, attributes.{name}", fields.path)
        rule = AttributeRule(
            type=inner.take("type", str, None), required=inner.take("required", bool, False)
        )
        inner.refuse_rest()
        if rule.type is not None and rule.type.removesuffix("[]") not in TYPES:
            raise fields.error(f"attributes.{name}", f"no type {rule.type!r}")
        found[name] = rule
    return found


def _attributes(
    place: str, rules: Mapping[str, AttributeRule], values: Mapping[str, AttributeValue]
) -> Iterator[Broken]:
    for name, rule in rules.items():
        value = values.get(name)
        if value is None:
            if rule.required:
                yield Broken(f"{place}.attributes.{name}", f"there is no {name}", lacks=name)
        elif rule.type is not None and not _is(value, rule.type):
            yield Broken(f"{place}.attributes.{name}", f"{value!r:.80} is not {rule.type}")


def _is(value: AttributeValue, kind: str) -> bool:
    if isinstance(value, tuple):
        return kind.endswith("[]") and all(_is(item, kind.removesuffix("[]")) for item in value)
    wanted = _PYTHON.get(kind)
    if isinstance(value, bool) or wanted is None:
        return wanted is bool and isinstance(value, bool)
    return isinstance(value, wanted) or (wanted is float and isinstance(value, int))
