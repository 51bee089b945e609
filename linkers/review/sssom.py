"""Decisions as mappings of SSSOM (its TSV form with metadata), and mappings as decisions.

A mention is the subject ``mention:CASE``; ``sssom:NoTermFound`` is the object of one that means no
entity. Entities that are one are a mapping between them; ``Not`` says that they are two. What a
person decided is ``semapv:ManualMappingCuration``; what the linker proposed, with its confidence,
``semapv:CompositeMatching``, which is not taken back. A round trip loses splits and the linker's
candidates; a new entity comes back as another one, which must be in the graph.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from kg.errors import InputError, RecordError
from kg.files import atomic_write
from kg.formats.records import Reject
from kg.model import EntityKey
from linkers.model import Mention
from linkers.review.exchange import Names, Told, exported
from linkers.review.model import Case, Decision, Request, mention_hash, pair_hash, read_mention
from linkers.review.review import Review

__all__ = ["UNSPECIFIED", "read_sssom", "write_sssom"]

UNSPECIFIED = "https://w3id.org/sssom/license/unspecified"
"""The licence of a set whose author names none."""

COLUMNS = (
    *("subject_id", "subject_label", "predicate_id", "predicate_modifier", "object_id"),
    *("object_label", "mapping_justification", "author_label", "mapping_date", "confidence"),
    *("comment", "other"),
)
_PREFIXES = {
    "mention": "urn:umbra:mention:",
    "semapv": "https://w3id.org/semapv/vocab/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "sssom": "https://w3id.org/sssom/",
    "umbra": "urn:umbra:entity:",
}
_SAME = "skos:exactMatch"
_MANUAL = "semapv:ManualMappingCuration"
_PROPOSED = "semapv:CompositeMatching"
_NOTHING = "sssom:NoTermFound"
_CURIE = re.compile(r"([A-Za-z_][\w.-]*):([\w.~-]+)", re.ASCII)
_NEEDED = ("subject_id", "predicate_id", "object_id", "mapping_justification")


def write_sssom(review: Review, path: Path, *, names: Names, licence: str = UNSPECIFIED) -> int:
    """Write the mappings of a review, atomically; return how many.

    Args:
        review: Whose cases and decisions.
        path: A TSV file.
        names: Names of entities.
        licence: Of the mappings, an address.
    """
    rows = [
        _row(case, decision, names)
        for case, decision in exported(review)
        if decision is None or decision.request.kind != "merge"
    ]
    rows += [
        _merge(decision, gone, names)
        for decision in review.decisions
        if decision.request.kind == "merge" and decision.state == "done"
        for gone in decision.request.keys
    ]
    used = {row[name].split(":")[0] for row in rows for name in ("subject_id", "object_id")}
    prefixes = _PREFIXES | {name: f"urn:umbra:entity:{name}:" for name in used - set(_PREFIXES)}
    digest = review.identity
    text = io.StringIO()
    text.write("#curie_map:\n")
    for name in sorted(prefixes):
        text.write(f"#  {name}: {json.dumps(prefixes[name])}\n")
    text.write(f"#license: {json.dumps(licence)}\n")
    text.write(f"#mapping_set_id: {json.dumps(f'urn:umbra:review:{digest}')}\n")
    text.write('#mapping_tool: "umbra"\n')
    writer = csv.DictWriter(text, COLUMNS, delimiter="\t", lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    with atomic_write(path) as file:
        file.write(text.getvalue().encode())
    return len(rows)


def _row(case: Case, decision: Decision | None, names: Names) -> dict[str, str]:
    made: dict[str, str] = {
        "predicate_id": _SAME,
        "mapping_justification": _PROPOSED if decision is None else _MANUAL,
    }
    other: dict[str, Any] = {}
    meant = case.entity
    if decision is None:
        made["confidence"] = f"{case.probability:.6g}"
    else:
        other["at"] = decision.at
        meant = decision.meant
        made |= _signed(decision)
    if case.pair is not None:
        one, two = case.pair
        made |= {"subject_id": _curie(two), "subject_label": names(two) or ""}
        made |= {"object_id": _curie(one), "object_label": names(one) or ""}
        if decision is not None and decision.request.kind == "reject":
            made["predicate_modifier"] = "Not"
    elif case.mention is not None:
        mention = case.mention
        other |= {"mention": _mention(mention), "source": case.source}
        made |= {"subject_id": f"mention:{case.id}", "subject_label": _line(mention.surface)}
        made |= {"object_id": _NOTHING if meant is None else _curie(meant)}
        made |= {"object_label": "" if meant is None else names(meant) or ""}
    if case.entity is not None:
        other["proposed"] = case.entity
    made["other"] = json.dumps(other, ensure_ascii=False, sort_keys=True)
    return made


def _merge(decision: Decision, gone: EntityKey, names: Names) -> dict[str, str]:
    kept = decision.request.entity or EntityKey("")
    return {
        "subject_id": _curie(gone),
        "predicate_id": _SAME,
        "object_id": _curie(kept),
        "object_label": names(kept) or "",
        "mapping_justification": _MANUAL,
        "other": json.dumps({"at": decision.at}),
        **_signed(decision),
    }


def _signed(decision: Decision) -> dict[str, str]:
    return {
        "author_label": _line(decision.request.who),
        "mapping_date": decision.at[:10],
        "comment": _line(decision.request.comment or ""),
    }


def _line(text: str) -> str:
    return " ".join(text.split())


def _mention(mention: Mention) -> dict[str, Any]:
    values = {
        name: getattr(mention, name)
        for name in ("id", "surface", "context", "start", "end", "image")
    }
    return {name: value for name, value in values.items() if value is not None}


def _curie(key: str) -> str:
    """Return an entity's key as a CURIE: as it is where it is one, else escaped.

    Example:
        >>> _curie("country:PE"), _curie("a b")
        ('country:PE', 'umbra:a%20b')
    """
    found = _CURIE.fullmatch(key)
    if found and found[1] not in _PREFIXES:
        return key
    return f"umbra:{quote(key, safe='')}"


def _key_of(curie: str) -> EntityKey:
    prefix, _, rest = curie.partition(":")
    return EntityKey(unquote(rest) if prefix == "umbra" else curie)


def read_sssom(path: Path, *, who: str) -> Iterator[Told | Reject]:
    """Iterate the decisions of a mapping set; only what a person curated counts.

    Args:
        path: TSV, with or without metadata above the columns.
        who: Who decided, where no author is named.

    Raises:
        RecordError: The file is missing or no such table.
    """
    if not path.is_file():
        raise RecordError("no such file", path=str(path), hint="name an SSSOM file (TSV)")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _read(file, path, who)
    except (UnicodeDecodeError, csv.Error) as error:
        raise RecordError(f"no table: {error}"[:200], path=str(path)) from error


def _read(file: io.TextIOBase, path: Path, who: str) -> Iterator[Told | Reject]:
    number = 0
    header = ""
    for line in file:
        number += 1
        if not line.startswith("#"):
            header = line
            break
    columns = header.rstrip("\r\n").split("\t")
    missing = [name for name in _NEEDED if name not in columns]
    if missing:
        raise RecordError(
            f"no column {missing[0]!r}", path=str(path), line=number or None,
            hint="an SSSOM table begins with its columns, parted by tabs",
        )  # fmt: skip
    reader = csv.DictReader(file, fieldnames=columns, delimiter="\t")
    for row in reader:
        line_number = number + reader.line_num
        try:
            told = _told({name: value or "" for name, value in row.items() if name}, who)
        except (KeyError, TypeError, ValueError, AttributeError, InputError) as error:
            reason = error.what if isinstance(error, InputError) else f"no mapping: {error!r:.100}"
            text = "\t".join(str(value) for value in row.values())[:200]
            yield Reject(file=path.name, line=line_number, column=None, reason=reason, text=text)
        else:
            if told is not None:
                yield Told(request=told.request, case=told.case, at=told.at, line=line_number)


def _told(row: Mapping[str, str], who: str) -> Told | None:
    if row["mapping_justification"] != _MANUAL:
        return None
    if row["predicate_id"] != _SAME:
        raise ValueError(f"predicate {row['predicate_id']!r:.60}")
    other = json.loads(row.get("other") or "{}")
    at = other.get("at") or row.get("mapping_date") or None
    values: dict[str, Any] = {"who": row.get("author_label") or who}
    if row.get("comment"):
        values["comment"] = row["comment"]
    subject, meant = row["subject_id"], row["object_id"]
    differs = row.get("predicate_modifier") == "Not"
    if not subject or not meant:
        raise ValueError("an empty subject or object")
    if subject.startswith("mention:"):
        case = _case(subject.removeprefix("mention:"), other)
        key = None if meant == _NOTHING or differs else _key_of(meant)
        values |= {"case": subject.removeprefix("mention:"), "entity": key}
        values["kind"] = "reject" if key is None else "other"
        if key is not None and key == other.get("proposed"):
            values["kind"] = "accept"
        return Told(request=Request.from_json(values), case=case, at=at)
    gone, kept = _key_of(subject), _key_of(meant)
    if not differs:
        values |= {"kind": "merge", "entity": kept, "keys": [gone]}
        return Told(request=Request.from_json(values), at=at)
    case = Case(id=pair_hash(kept, gone), pair=(kept, gone), probability=0.5)
    values |= {"kind": "reject", "case": case.id}
    return Told(request=Request.from_json(values), case=case, at=at)


def _case(case_id: str, other: Mapping[str, Any]) -> Case | None:
    """Return the case that a row describes, if its id is that of its mention."""
    if "mention" not in other:
        return None
    mention = read_mention(other["mention"])
    if mention_hash(mention) != case_id:
        raise ValueError("the mention is not the one of the subject")
    proposed = other.get("proposed")
    return Case(
        id=case_id,
        mention=mention,
        source=str(other.get("source", "")),
        entity=None if proposed is None else EntityKey(str(proposed)),
    )
