"""Cases as tasks of Label Studio, and its annotations as decisions (its JSON format).

Each task has the text, the mention as a span, the candidates as choices for it and, where the words
mean something else, a field for another key. What the linker proposed is a prediction, what was
decided an annotation. A round trip loses pairs of entities, merges and splits; a new entity comes
back as another one, which must be in the graph.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kg.errors import InputError, LimitError, RecordError
from kg.files import atomic_write
from kg.formats.records import Reject
from kg.model import EntityKey
from linkers.review.exchange import Names, Told, exported
from linkers.review.model import Case, Decision, Request
from linkers.review.review import Review

__all__ = ["CONFIG", "MAX_BYTES", "NIL", "read_tasks", "write_tasks"]

NIL = "NIL"
"""The choice that says that no entity of the graph is meant."""
MAX_BYTES = 256 * 2**20
"""Of a file that is read."""

CONFIG = """<View>
  <Labels name="mention" toName="text"><Label value="Mention"/></Labels>
  <Text name="text" value="$text"/>
  <Choices name="entity" toName="text" perRegion="true" value="$candidates"/>
  <TextArea name="other" toName="text" perRegion="true" maxSubmissions="1"/>
</View>
"""
"""Labelling configuration of a project that takes these tasks."""

_MODEL = "umbra"
_REGION = "mention"


def write_tasks(review: Review, path: Path, *, names: Names) -> int:
    """Write the mentions of a review as tasks, atomically; return how many."""
    tasks = [
        _task(case, decision, names)
        for case, decision in exported(review)
        if case.mention is not None
    ]
    with atomic_write(path) as file:
        file.write(json.dumps(tasks, ensure_ascii=False, indent=1, sort_keys=True).encode())
        file.write(b"\n")
    return len(tasks)


def _task(case: Case, decision: Decision | None, names: Names) -> dict[str, Any]:
    mention = case.mention
    text = "" if mention is None else mention.context or mention.surface
    choices = [
        {"value": candidate.entity, "hint": names(candidate.entity) or ""}
        for candidate in case.candidates
    ]
    data = {
        "text": text,
        "mention": "" if mention is None else mention.surface,
        "candidates": [*choices, {"value": NIL, "hint": "none of the graph"}],
        "case": case.id,
        "umbra": case.to_json(),
    }
    proposed = _result(case, NIL if case.entity is None else case.entity)
    prediction = {"model_version": _MODEL, "score": case.probability, "result": proposed}
    task: dict[str, Any] = {"data": data, "predictions": [prediction]}
    if decision is not None:
        task["annotations"] = [
            {
                "completed_by": {"email": decision.request.who},
                "created_at": decision.at,
                "was_cancelled": False,
                "result": _result(case, decision.meant or NIL),
            }
        ]
    return task


def _result(case: Case, key: str) -> list[dict[str, Any]]:
    """Return the span and its entity: a choice, or a text where it is none of the choices."""
    mention = case.mention
    value: dict[str, Any] = {}
    if mention is not None and mention.start is not None and mention.end is not None:
        value = {"start": mention.start, "end": mention.end, "text": mention.surface}
    region = {"id": _REGION, "to_name": "text"}
    listed = key == NIL or any(candidate.entity == key for candidate in case.candidates)
    answer = (
        {"from_name": "entity", "type": "choices", "value": {**value, "choices": [key]}}
        if listed
        else {"from_name": "other", "type": "textarea", "value": {**value, "text": [key]}}
    )
    span = {"from_name": "mention", "type": "labels", "value": {**value, "labels": ["Mention"]}}
    return [{**region, **span}, {**region, **answer}] if value else [{**region, **answer}]


def read_tasks(path: Path, *, who: str) -> Iterator[Told | Reject]:
    """Iterate the decisions in an export of Label Studio; tasks without an annotation have none.

    Of several annotations of a task the last that was not cancelled counts.

    Args:
        path: Its JSON export.
        who: Who decided, where it does not say.

    Raises:
        RecordError: The file is missing, or no JSON list of tasks.
        LimitError: It is larger than 256 MiB.
    """
    if not path.is_file():
        raise RecordError("no such file", path=str(path), hint="export from Label Studio as JSON")
    if path.stat().st_size > MAX_BYTES:
        raise LimitError(f"more than {MAX_BYTES:,} bytes", where=str(path), hint="export in parts")
    try:
        tasks = json.loads(path.read_bytes())
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise RecordError(f"no JSON: {error}"[:200], path=str(path)) from error
    if not isinstance(tasks, list):
        raise RecordError("no list of tasks", path=str(path), hint="export as JSON")
    for number, task in enumerate(tasks, start=1):
        try:
            told = _told(task, number, who)
        except (KeyError, TypeError, ValueError, AttributeError, InputError) as error:
            reason = error.what if isinstance(error, InputError) else f"not a task: {error!r:.100}"
            text = json.dumps(task, ensure_ascii=False)[:200]
            yield Reject(file=path.name, line=number, column=None, reason=reason, text=text)
        else:
            if told is not None:
                yield told


def _told(task: Mapping[str, Any], number: int, who: str) -> Told | None:
    made = [a for a in task.get("annotations") or () if not a.get("was_cancelled")]
    if not made:
        return None
    annotation = made[-1]
    case = Case.from_json(task["data"]["umbra"])
    key = _answer(annotation["result"])
    if key is None:
        return None
    kind = "other"
    if key == NIL:
        kind = "reject"
    elif key == case.entity:
        kind = "accept"
    request = Request.from_json(
        {
            "kind": kind,
            "who": _person(annotation.get("completed_by")) or who,
            "case": case.id,
            "entity": None if key == NIL else key,
        }
    )
    at = annotation.get("created_at")
    return Told(request=request, case=case, at=None if at is None else str(at)[:40], line=number)


def _answer(results: Sequence[Mapping[str, Any]]) -> EntityKey | None:
    """Return the key that was written, else the one that was chosen."""
    found: dict[str, str] = {}
    for result in results:
        kind = result.get("type")
        if kind in ("textarea", "choices"):
            value = result["value"]["text" if kind == "textarea" else "choices"]
            text = str(value if isinstance(value, str) else value[0] if value else "").strip()
            if text:
                found[kind] = text
    key = found.get("textarea", found.get("choices"))
    return None if key is None else EntityKey(key)


def _person(value: Any) -> str | None:
    """Return who annotated: Label Studio names a user by number, by address, or as an object."""
    if isinstance(value, Mapping):
        value = value.get("email") or value.get("username") or value.get("id")
    if value is None or value == "":
        return None
    return f"label-studio user {value}" if isinstance(value, int) else str(value)
