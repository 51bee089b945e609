"""Names that come from data and must stand inside a Cypher text: the one rule that lets them in.

Labels, relations and attribute names cannot be parameters of a statement, so each passes here
first; every other value is always a parameter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import count

from kg.errors import ConstraintError, InputError

__all__ = [
    "BASE_LABEL",
    "RESERVED_ATTRIBUTES",
    "check_attribute",
    "check_kinds",
    "check_label",
    "check_relation",
    "is_name",
    "storable_name",
    "storable_names",
]

BASE_LABEL = "Entity"
"""The label that every entity carries beside its own; its key is unique over all labels."""

RESERVED_ATTRIBUTES = frozenset({"key", "name", "aliases"})
"""Properties that hold an entity's own fields."""

# \w of Python and the engines' letters differ; letters and digits of any script are safe
# between backticks, and nothing else gets in.
_LONGEST = 128
_NAME = re.compile(r"[^\W\d_][\w]{0,127}")


def is_name(text: str) -> bool:
    """Tell whether a text may stand as a label, a relation or an attribute name.

    Example:
        >>> is_name("has_part"), is_name("a`b"), is_name("_records"), is_name("")
        (True, False, False, False)
    """
    return isinstance(text, str) and _NAME.fullmatch(text) is not None


def storable_name(text: str) -> str:
    """Return the nearest text that may stand as a label, a relation or an attribute name.

    Example:
        >>> storable_name("Modularity Class"), storable_name("1st"), storable_name("/tv/genre")
        ('Modularity_Class', 'x1st', 'tv_genre')
    """
    if is_name(text):
        return text
    name = re.sub(r"\W", "_", text)[: _LONGEST - 1] or "x"
    bare = name.lstrip("_")
    return bare if is_name(bare) else f"x{name}"


def storable_names(texts: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """Return a name of its own for each text; one that needs no change keeps what it has.

    Args:
        texts: Names as somebody else wrote them.
        taken: Names that none may get.

    Example:
        >>> storable_names(["my age", "my_age", "key"], taken=RESERVED_ATTRIBUTES)
        {'my age': 'my_age_2', 'my_age': 'my_age', 'key': 'key_'}
    """
    reserved = set(taken)
    every = list(dict.fromkeys(texts))
    found = {text: text for text in every if is_name(text) and text not in reserved}
    used = reserved | set(found)
    for text in every:
        if text in found:
            continue
        name = f"{text}_" if text in reserved else storable_name(text)
        numbered = (f"{name[: _LONGEST - 8]}_{number}" for number in count(2))
        found[text] = name if name not in used else next(n for n in numbered if n not in used)
        used.add(found[text])
    return {text: found[text] for text in every}


def _check(text: str, noun: str, where: str) -> str:
    if not is_name(text):
        raise InputError(
            f"{text!r:.150} cannot be a {noun}",
            where=where,
            hint="use up to 128 letters, digits and underscores, a letter first",
        )
    return text


def check_label(text: str, *, where: str) -> str:
    """Return a label, or raise `InputError`."""
    return _check(text, "label", where)


def check_relation(text: str, *, where: str) -> str:
    """Return a relation, or raise `InputError` (also for the name of the base label)."""
    if text == BASE_LABEL:
        raise InputError(f"{text!r} is the label of every entity, not a relation", where=where)
    return _check(text, "relation", where)


def check_attribute(text: str, *, where: str, edge: bool = False) -> str:
    """Return an attribute's name, or raise `InputError`.

    Args:
        text: The name.
        where: Key of the entity or edge, for the message.
        edge: An edge has no fields of its own but its records, so nothing else is reserved.
    """
    if not edge and text in RESERVED_ATTRIBUTES:
        raise InputError(
            f"an attribute cannot be called {text!r}: the entity's own field has that name",
            where=where,
            hint="map it to another name",
        )
    return _check(text, "name of an attribute", where)


def check_kinds(labels: Iterable[str], relations: Iterable[str]) -> None:
    """Refuse a name that is both a label and a relation.

    The embedded engine has one name space for both, and a graph must fit every store.

    Raises:
        ConstraintError: A name is used as both.
    """
    both = sorted(set(labels) & set(relations))
    if both:
        raise ConstraintError(
            f"{both[0]!r} is a label and a relation; one name cannot be both",
            hint="rename one of them in the mapping",
        )
