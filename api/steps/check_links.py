"""The step that puts a trained linker to the test on a table of mentions: report and result."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.steps.checked_linker import CheckedLinker, open_checked
from api.steps.open_linker import LinkerChoice
from evaluation.machine import Measurement
from evaluation.results import RunResult
from kg.errors import SettingError
from kg.files import atomic_write, sha256_of_file, sha256_of_text
from kg.model import EntityKey
from kg.progress import Progress, silent

if TYPE_CHECKING:
    from api.engine import Engine
    from linkers.checking import Kind
    from linkers.mention_samples import MentionRows
    from linkers.model import Link, Mention
    from linkers.pictures import MentionPictures

__all__ = ["CheckReport", "LinkCheck", "cases_path", "check_links"]

PROTOCOL = "link-check"
MAX_MENTIONS = 5_000
"""Mentions of one check; their pictures are held in memory, 0.4 MB each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCheck:
    """What is checked.

    Attributes:
        mentions: A table of mentions, as `umbra link run` reads it.
        columns: Which column holds which part of a mention.
        gold: Column, or template, of the key of each one's entity; None if it is not known.
        linker: Which linker, and to what.
        allow_hosts: Hosts that pictures may be fetched from.
        most: Mentions that are looked at.
        budget: Most words put before a mention.
        seed: Of the sample and of the controls.

    Raises:
        SettingError: A number is out of range.
    """

    mentions: Path
    columns: Mapping[str, str | None] = field(default_factory=dict)
    gold: str | None = None
    linker: LinkerChoice = field(default_factory=LinkerChoice)
    allow_hosts: tuple[str, ...] = ()
    most: int = 300
    budget: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        if not 1 <= self.most <= MAX_MENTIONS:
            raise SettingError(f"lies in [1, {MAX_MENTIONS}]", where="--limit")
        if not 1 <= self.budget <= 10:
            raise SettingError("lies in [1, 10]", where="--budget")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What a check says.

    Attributes:
        result: Figures, in the format of all evaluations.
        cases: Flips and conflicts, as plain rows.
        total: Mentions of the table.
        rejects: Rows that could not be read.
        failed: Mentions whose picture could not be opened, with the reason; they were left out.
        conflict_of: Conflict of words and picture of each mention that has both, by its id.
    """

    result: RunResult
    cases: Sequence[Mapping[str, Any]]
    total: int
    rejects: int
    failed: Mapping[str, str]
    conflict_of: Mapping[str, float]

    @property
    def apart(self) -> int:
        """How many mentions have words and a picture."""
        return len(self.conflict_of)


def check_links(
    engine: Engine,
    task: LinkCheck,
    *,
    out: Path | None = None,
    command: str = "umbra link check",
    progress: Progress = silent,
) -> CheckReport:
    """Check a linker on a table of mentions; nothing in the graph is changed.

    Args:
        engine: Whose entities the mentions may mean, unless a file of them is named.
        task: What to check.
        out: Result file; flips and conflicts lie beside it (`cases_path`). None writes nothing.
        command: Command line that makes it again.
        progress: Told passes over the mentions.

    Raises:
        MissingPartError: No linker was trained.
        RecordError: The table is missing or not of its format.
        InputError: It holds no mention, or no label is a key of an entity.
    """
    from linkers.check_figures import case_rows, figures_of
    from linkers.checking import check_linker
    from linkers.mention_samples import GoldColumn, read_mentions
    from linkers.records import MentionColumns

    clock = Measurement.start()
    columns = MentionColumns.of(task.columns)
    gold = None if task.gold is None else GoldColumn(task.gold)
    rows = read_mentions(task.mentions, columns, most=task.most, gold=gold, seed=task.seed)
    pictures, failed = _pictures(rows.mentions, task)
    mentions = [m for m in rows.mentions if (m.image or "") not in failed]
    opened = open_checked(engine, task.linker, pictures)
    labels = _labels(rows, opened, failed)
    links = opened.linker.link(mentions)
    kinds = _kinds(task, mentions, links, labels, pictures, opened)
    check = check_linker(
        opened.linker,
        mentions,
        kinds,
        links=links,
        pictures=opened.linker.reads_pictures,
        progress=progress,
    )
    metrics, by = figures_of(check, labels)
    result = RunResult.measured(
        clock,
        command=command,
        seed=task.seed,
        protocol=PROTOCOL,
        inputs={"mentions": _hash(task.mentions), "linker": opened.identity},
        n=len(mentions),
        metrics=metrics,
        by={"kind": by} if by else {},
    )
    report = CheckReport(
        result=result,
        cases=case_rows(check, mentions, opened.names.get),
        total=rows.total,
        rejects=rows.rejects,
        failed=failed,
        conflict_of={mentions[one.row].id: one.conflict for one in check.apart},
    )
    if out is not None:
        with atomic_write(cases_path(out)) as file:
            for case in report.cases:
                file.write(json.dumps(case, ensure_ascii=False, sort_keys=True).encode() + b"\n")
        result.save(out)
    return report


def cases_path(out: Path) -> Path:
    """Return where flips and conflicts lie beside a result, as JSON Lines."""
    return out.with_name(f"{out.stem}.cases.jsonl")


def _pictures(
    mentions: Sequence[Mention], task: LinkCheck
) -> tuple[MentionPictures, dict[str, str]]:
    """Return what opens the pictures of mentions, and why some cannot be opened."""
    from kg.image_fetching import AllowedHosts, ImageFetcher
    from kg.image_sources import ImageSources
    from linkers.pictures import MentionPictures

    root = task.mentions if task.mentions.is_dir() else task.mentions.parent
    hosts = AllowedHosts(task.allow_hosts)
    fetcher = ImageFetcher(hosts) if hosts.names else None
    pictures = MentionPictures(ImageSources(root, fetcher=fetcher))
    return pictures, pictures.take({m.image for m in mentions if m.image is not None}, root)


def _labels(
    rows: MentionRows, opened: CheckedLinker, failed: Mapping[str, str]
) -> list[EntityKey | None] | None:
    """Return what mentions mean; a key that the base lacks means none of it."""
    from kg.errors import InputError

    if rows.gold is None:
        return None
    kept = [
        key
        for mention, key in zip(rows.mentions, rows.gold, strict=True)
        if (mention.image or "") not in failed
    ]
    named = [key for key in kept if key is not None]
    if named and not any(key in opened.keys for key in named):
        raise InputError(
            f"no label is the key of an entity, {named[0]!r:.60} for one",
            where="--gold",
            hint="give a template of the key: --gold 'country:{code}'",
        )
    return [key if key in opened.keys else None for key in kept]


def _kinds(
    task: LinkCheck,
    mentions: Sequence[Mention],
    links: Sequence[Link],
    labels: Sequence[EntityKey | None] | None,
    pictures: MentionPictures,
    opened: CheckedLinker,
) -> list[Kind]:
    """Return the kinds of words: true of the picture, true of the entity, and two controls."""
    from linkers.attribute_words import (
        FalseColours,
        PictureColours,
        of_entities,
        plain_adjectives,
    )
    from linkers.checking import Kind

    meant = [link.entity for link in links] if labels is None else labels
    by_id = {mention.id: key for mention, key in zip(mentions, meant, strict=True)}
    colours = PictureColours(pictures)
    return [
        Kind(name="picture_colour", source=colours, budget=task.budget),
        Kind(name="graph_attribute", source=of_entities(opened.known, by_id), budget=task.budget),
        Kind(
            name="false_colour",
            source=FalseColours(colours, seed=task.seed),
            adversarial=False,
            budget=task.budget,
        ),
        Kind(
            name="plain_adjective",
            source=plain_adjectives(task.seed),
            adversarial=False,
            budget=task.budget,
        ),
    ]


def _hash(path: Path) -> str:
    from kg.formats.tables import TableFiles

    files = TableFiles.of(path)
    return sha256_of_text(" ".join(map(sha256_of_file, files.paths)))
