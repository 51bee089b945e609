"""Figures and cases of a check: what a report says, as plain values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kg.model import EntityKey
from linkers.checking import Check, Disagreement, Inserted, is_right
from linkers.model import Link, Mention

__all__ = ["Gold", "case_rows", "change_of", "figures_of", "reciprocal_rank", "why_flagged"]

Gold = Sequence[EntityKey | None]
"""What mentions are known to mean; None where it is known that no entity of the base is meant."""

Names = Callable[[EntityKey], str | None]

_CHANGES = ("other_entity", "to_nil", "from_nil", "to_review", "to_linked")


def figures_of(
    check: Check, gold: Gold | None = None
) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Return the fractions of a check: over all, and by kind of attribute (each with its `n`).

    Args:
        check: What was found.
        gold: What the mentions mean, if it is known: accuracy, H@1 and MRR, before and after.
    """
    by = {name: _of_kind(rows, gold) for name, rows in sorted(check.inserted.items()) if len(rows)}
    metrics: dict[str, float] = {}
    everything = [one for rows in check.inserted.values() for one in rows]
    if everything:
        metrics["unchanged"] = float(np.mean([one.stays for one in everything]))
    if check.apart:
        metrics["conflicts"] = float(np.mean([one.flagged for one in check.apart]))
    if gold is not None:
        metrics["accuracy"] = _mean(
            [is_right(link, key) for link, key in zip(check.links, gold, strict=True)]
        )
    return metrics, by


def _of_kind(rows: Sequence[Inserted], gold: Gold | None) -> dict[str, float]:
    changes = Counter(change_of(one) for one in rows)
    found: dict[str, float] = {
        "n": len(rows),
        "unchanged": _mean([one.stays for one in rows]),
        "probability_before": _mean([one.before.probability for one in rows]),
        "probability_after": _mean([one.support for one in rows]),
        **{name: changes[name] / len(rows) for name in _CHANGES},
    }
    if gold is None:
        return found
    for side in ("before", "after"):
        links: list[Link] = [getattr(one, side) for one in rows]
        keys = [gold[one.row] for one in rows]
        found[f"accuracy_{side}"] = _mean(
            [is_right(link, key) for link, key in zip(links, keys, strict=True)]
        )
        ranked = [
            reciprocal_rank(link, key)
            for link, key in zip(links, keys, strict=True)
            if key is not None
        ]
        if ranked:
            found[f"hits_at_1_{side}"] = _mean([value == 1 for value in ranked])
            found[f"mrr_{side}"] = _mean(ranked)
    return found


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else 0.0


def reciprocal_rank(link: Link, key: EntityKey) -> float:
    """Return 1 over the rank of an entity among a link's candidates; 0 if it is none of them.

    Equal probabilities share the mean of their places.
    """
    own = {candidate.entity: candidate.probability for candidate in link.candidates}
    if key not in own:
        return 0.0
    above = sum(value > own[key] for value in own.values())
    level = sum(value == own[key] for value in own.values())
    return 1.0 / (above + (level + 1) / 2)


def change_of(one: Inserted) -> str | None:
    """Return how a decision changed; None where it stays.

    One of ``other_entity``, ``to_nil``, ``from_nil``, ``to_review`` (the same entity, less surely)
    and ``to_linked``.
    """
    if one.stays:
        return None
    before, after = one.before, one.after
    if "nil" in (before.state, after.state):
        return "to_nil" if after.state == "nil" else "from_nil"
    if before.entity != after.entity:
        return "other_entity"
    return f"to_{after.state}"


def case_rows(check: Check, mentions: Sequence[Mention], names: Names) -> list[dict[str, Any]]:
    """Return each flip and each conflict as a plain row: conflicts first, then flips by kind."""
    rows: list[dict[str, Any]] = []
    for found in check.conflicts:
        mention = mentions[found.row]
        rows.append(
            {
                "case": "conflict",
                "mention": mention.id,
                "surface": mention.surface,
                "context": mention.context,
                "image": _image(mention),
                "conflict": found.conflict,
                "text": _told(found.text, names),
                "picture": _told(found.picture, names),
                "together": _told(found.together, names),
                "why": why_flagged(found, names),
            }
        )
    for one in check.flips:
        mention = mentions[one.row]
        changed = one.insertion.mention
        rows.append(
            {
                "case": "flip",
                "kind": one.kind,
                "change": change_of(one),
                "mention": mention.id,
                "surface": mention.surface,
                "words": list(one.insertion.words),
                "text": changed.context or changed.surface,
                "before": _told(one.before, names),
                "after": _told(one.after, names),
                "probability_left": one.support,
            }
        )
    return rows


def why_flagged(found: Disagreement, names: Names) -> str:
    """Return in a sentence why a mention's words and picture are said to disagree."""
    text, picture = (_favourite(link, names) for link in (found.text, found.picture))
    return (
        f"the words alone mean {text}, the picture alone {picture}: "
        f"they mean two entities with probability {found.conflict:.2f}"
    )


def _favourite(link: Link, names: Names) -> str:
    best = link.candidates[0]
    return f"{names(best.entity) or best.entity} ({best.probability:.2f})"


def _told(link: Link, names: Names) -> dict[str, Any]:
    """Return what a link decides, and the entity that it finds likeliest even where it is NIL."""
    best = link.candidates[0] if link.candidates else None
    return {
        "state": link.state,
        "entity": link.entity,
        "name": None if link.entity is None else names(link.entity),
        "probability": link.probability,
        "reason": link.reason,
        "likeliest": None if best is None else best.entity,
        "likeliest_name": None if best is None else names(best.entity),
        "likeliest_probability": 0.0 if best is None else best.probability,
    }


def _image(mention: Mention) -> str | None:
    image = mention.image
    return image if image is None or not image.startswith("data:") else f"{image[:40]}…"
