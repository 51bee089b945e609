"""What is said of a label that no entity has: the nearest labels, then which others there are."""

from __future__ import annotations

from collections.abc import Iterable

from kg.errors import InputError
from kg.vocabulary import Vocabulary

__all__ = ["unknown_label"]

SHOWN = 10
"""Labels that are named at most."""


def unknown_label(label: str, known: Iterable[str], *, where: str) -> InputError:
    """Return the error for a label that no entity has.

    Args:
        label: What was asked for.
        known: The labels that there are.
        where: The option or parameter that named it.

    Example:
        >>> unknown_label("Contry", ["Shape", "Country"], where="label").hint
        "did you mean 'Country'? Also there: 'Shape'"
    """
    labels = Vocabulary(sorted(set(known)))
    near = labels.nearest(label)
    others = [one for one in labels.names if one not in near]
    room = SHOWN - len(near)
    said = ", ".join(map(repr, others[:room]))
    if len(others) > room:
        said += f" and {len(others) - room} more (`umbra info`, `/v1/info`)"
    told = [f"did you mean {' or '.join(map(repr, near))}?"] if near else []
    if others:
        told.append(f"{'Also there' if near else 'labels that there are'}: {said}")
    hint = " ".join(told) or "the graph holds no entity yet"
    return InputError(f"no entity has the label {label!r}", where=where, hint=hint)
