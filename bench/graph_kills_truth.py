"""What is found in a store after a kill, against what was acknowledged before it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from api.engine import Engine
from api.steps.check_graph import check_folder
from bench.graph_kills_facts import COUNTER, acknowledged, edges_of, entities_of, setup
from bench.graph_kills_work import World, folder_of
from kg.errors import EngineError
from kg.images import ImageFolder
from kg.model import Edge, EdgeKey, Entity, EntityKey
from kg.store import Store
from kg.upkeep.backup import unpack_backup
from tests.golden.formats.make import rows as golden_rows

__all__ = ["Found", "look"]

Fact = Entity | Edge


@dataclass(kw_only=True)
class Found:
    """What is wrong after a kill; empty lists where nothing is.

    Attributes:
        lost: Acknowledged writes that are not there, or not as they were written.
        doubled: Writes that are there more than once.
        foreign: What nobody can have written, and halves of a transaction.
        faults: What `umbra graph check` says.
        acknowledged: Acknowledgements that were looked for.
    """

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    acknowledged: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def look(
    world: World, engine: Engine, run: str, runs: Iterable[str], links: dict[str, str]
) -> Found:
    """Compare a store with the log of acknowledgements.

    Args:
        world: Whose log.
        engine: Opened on the store of the run.
        run: The run that was killed.
        runs: All runs that this folder has seen.
        links: What each mention means that makes an edge, by its id.
    """
    found = Found()
    own = folder_of(world, run) != world.folder
    known = [run] if own else [one for one in runs if not one.startswith("migration")]
    found.faults = [
        f"{fault.kind}: {fault.where}: {fault.what}"
        for fault in check_folder(engine)
        if not (own and fault.kind == "part-of-no-image")  # so lies it in the store of format 1
    ]
    entities, edges = _at_one_version(engine.store)
    start: list[Fact] = [*setup(world.names)]
    if own:
        rows = golden_rows()
        start = [*rows[0], *rows[1]]
    expected: dict[Any, Fact] = {fact.key: fact for fact in start}
    for one in known:
        expected |= {row.key: row for row in entities_of(one)}
        expected |= {edge.key: edge for edge in edges_of(one)}
    lines = [words for words in acknowledged(world.log) if own == words[-1].startswith("migration")]
    if own:
        lines = [words for words in lines if words[1].startswith(f"{run}:")]
    found.acknowledged = sum(words[0] != "asked" for words in lines)
    wanted: list[Any] = [fact.key for fact in start]
    wanted += [words[1] if words[0] == "entity" else tuple(words[1:]) for words in lines
               if words[0] in ("entity", "edge")]  # fmt: skip
    there: dict[Any, Fact] = dict(entities)
    there.update(edges)
    _facts(found, wanted, expected, there)
    if own:
        return found
    _links(found, lines, known, edges.values(), links)
    _count(found, lines, entities.get(COUNTER))
    _pairs(found, known, there)
    _backup(found, world.folder / f"{run}.zip", lines)
    return found


def _at_one_version(store: Store) -> tuple[dict[EntityKey, Entity], dict[EdgeKey, Edge]]:
    """Read the rows of one version: a killed client's last commit may still be under way."""
    while True:
        version = store.version
        entities = {row.key: row for row in store.entities()}
        edges = {edge.key: edge for edge in store.edges()}
        if store.version == version:
            return entities, edges


def _facts(
    found: Found, wanted: Iterable[Any], expected: dict[Any, Fact], there: dict[Any, Fact]
) -> None:
    """Look for every acknowledged row as it was written, and for rows that nobody wrote."""
    for key in dict.fromkeys(wanted):
        if key != COUNTER and there.get(key) != expected[key]:
            found.lost.append(f"{key}: {there.get(key)}"[:300])
    for key, fact in there.items():
        if len(fact.provenance) > 1 and key in expected:
            found.doubled.append(f"{key}: {len(fact.provenance)} records")
        if key not in expected and not (isinstance(fact, Edge) and fact.relation == "mentions"):
            found.foreign.append(str(key))


def _links(
    found: Found,
    lines: list[list[str]],
    runs: Iterable[str],
    edges: Iterable[Edge],
    links: dict[str, str],
) -> None:
    """Look for one record for each mention of each run that was linked, and for no other."""
    records = Counter(
        (
            record.source.partition(".")[0],
            (record.locator or "").removeprefix("mention "),
            edge.tail,
        )
        for edge in edges
        if edge.relation == "mentions"
        for record in edge.provenance
    )
    possible = {
        (run, mention, tail)
        for run in runs
        if run.startswith("link")
        for mention, tail in links.items()
    }
    for words in lines:
        done = words[0] == "linked" and words[2] in links
        if done and (words[1], words[2], links[words[2]]) not in records:
            found.lost.append(f"edge of mention {words[2]} of {words[1]}")
    found.doubled += [f"{key}: {count} records" for key, count in records.items() if count > 1]
    found.foreign += [str(key) for key in records.keys() - possible]


def _count(found: Found, lines: list[list[str]], counter: Entity | None) -> None:
    """Compare the counter with the writes that raised it, asked for and acknowledged."""
    asked = sum(words[0] == "asked" for words in lines)
    counted = sum(words[0] == "counted" for words in lines)
    value = counter.attributes["n"] if counter is not None else None
    if not isinstance(value, int) or value < counted:
        found.lost.append(f"the counter is {value}, {counted} writes were acknowledged")
    elif value > asked:
        found.doubled.append(f"the counter is {value}, {asked} writes were asked for")


def _pairs(found: Found, runs: Iterable[str], there: dict[Any, Fact]) -> None:
    """Look for transactions of which only a part is there."""
    for run in runs:
        if run.startswith("upsert"):
            rows, edges = entities_of(run), edges_of(run)
            for number in range(0, len(rows), 2):
                whole = (rows[number].key, rows[number + 1].key, edges[number].key)
                if len({key in there for key in whole}) > 1:
                    found.foreign.append(f"half a transaction: {whole}")


def _backup(found: Found, path: Path, lines: list[list[str]]) -> None:
    """Unpack a run's backup: one that was acknowledged is there, and one that is there is whole."""
    kept = [words for words in lines if words[0] == "kept" and words[1] == path.stem]
    if not kept and not path.exists():
        return
    with TemporaryDirectory(dir=path.parent) as name:
        place = Path(name)
        try:
            manifest, graph = unpack_backup(path, ImageFolder(place / "images"), place)
        except EngineError as error:
            found.lost.append(f"{path.name}: {error}")
            return
        rows = Counter(next(iter(json.loads(line))) for line in graph.read_text().splitlines())
    least = int(kept[-1][2]) if kept else 0
    if rows["entity"] != manifest.entities or manifest.entities < least:
        found.lost.append(f"{path.name} holds {rows}, its manifest says {manifest}")
