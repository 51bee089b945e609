"""Does the cage hold? A hundred thousand texts through the gate, and on into the reader role.

Question: does any text crash or hang the gate, or, if it is let through, crash the store, run
past its time limit, write, read a file or reach the network? Texts are mutated queries (of the
openCypher kit where ../shared/data is present) and texts of a grammar that attacks in a clause of
four; each goes through `kg.cypher.check`, and what is let through runs on the embedded store by
`Store.query` with half a second and a hundred rows. A file whose last access is watched and a
listening socket are the canaries; the graph's content, types and version are compared at the end.
Command: ``python -m bench.cypher_fuzz --out docs/benchmarks``; five minutes on two free cores.
Writes ``cypher-fuzz.json`` and ``cypher-fuzz.md``.
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.cypher_fuzz_texts import Canary, fuzzed
from bench.run_record import keep, run_record, seeded_arguments
from kg.backends.bolt import BoltStore
from kg.backends.embedded import EmbeddedLink
from kg.cypher import CheckedQuery, check
from kg.errors import EngineError, StoreUnavailableError
from kg.launcher import LauncherConfig, stop_store
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.store import Store

ARCHIVE = Path(__file__).resolve().parents[2] / "shared" / "data" / "tck" / "features.tar.gz"
CORPUS = (
    "MATCH (a:Country)-[:borders]->(b:Country) WHERE a.size > 3 RETURN a.name, count(b) AS n",
    "MATCH p = shortestPath((a)-[*..4]-(b)) RETURN length(p), [n IN nodes(p) | n.name]",
    "OPTIONAL MATCH (n {key: 'x'}) WITH n WHERE n IS NOT NULL RETURN n {.name, k: n.key}",
    "MATCH (n) WHERE EXISTS { (n)-[:T]->() } AND NOT (n)--(:A) RETURN COUNT { (n)--() }",
    "UNWIND [1, 2] AS x CALL { WITH x RETURN x * 2 AS y } RETURN sum(y) UNION ALL RETURN 1 AS y",
    "MATCH (n) RETURN CASE WHEN n.x =~ 'a.*' THEN 1 ELSE 0 END, reduce(s = 0, x IN [1] | s + x)",
    "CALL db.labels() YIELD label RETURN label",
    "RETURN date('2024-01-01').year, duration.between(date(), date()), point({x: 1, y: 2})",
)
LONGEST_KIT_QUERY = 400
"""Characters; longer ones of the kit only write large graphs."""
GATE_LIMIT_S = 2.0
"""Processor time of the gate, above which a text counts as hanging."""
TIMEOUT_S = 0.5
GRACE_S = 10.0
"""Wall time beyond the limit until a query counts as hanging: ending it takes a while."""
CONTENT = "umbra-canary-5f1c"


@dataclass
class Report:
    """What came of the texts.

    Attributes:
        gate: Texts by what the gate said: `let through` or the class of the refusal.
        store: Texts let through by what the store said: `answered` or the class of the error.
        faults: Crashes, hangs, writes and touched canaries, each with the text.
        slowest_gate_s: Processor time of the slowest text at the gate.
        slowest_store_s: Wall time of the slowest query.
    """

    gate: Counter[str] = field(default_factory=Counter)
    store: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest_gate_s: float = 0.0
    slowest_store_s: float = 0.0


@contextmanager
def canaries(folder: Path) -> Iterator[tuple[Canary, Any]]:
    """Give the canaries, and a function that tells which were touched.

    Raises:
        OSError: The folder's file system does not keep the time of the last access.
    """
    path = folder / "canary.csv"
    path.write_text(f"{CONTENT},1\n")
    os.utime(path, (1, 2))
    path.read_bytes()
    if path.stat().st_atime == 1:
        raise OSError(f"{folder} keeps no access times: choose another folder by TMPDIR")
    os.utime(path, (1, 2))
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        listener.setblocking(False)

        def touched() -> list[str]:
            found = [] if path.stat().st_atime == 1 else ["the file was read"]
            try:
                listener.accept()[0].close()
            except BlockingIOError:
                return found
            return [*found, "somebody connected"]

        yield Canary(path.as_uri(), f"http://127.0.0.1:{listener.getsockname()[1]}/x"), touched


def kit_queries() -> list[str]:
    """Return the kit's queries and setups, none where the kit is absent."""
    if not ARCHIVE.exists():
        return []
    import tarfile

    with tarfile.open(ARCHIVE) as archive:
        files = (archive.extractfile(member) for member in archive if member.isfile())
        texts = [file.read().decode() for file in files if file is not None]
    found = {part.strip() for text in texts for part in re.findall(r'"""(.*?)"""', text, re.DOTALL)}
    return sorted(text for text in found if len(text) <= LONGEST_KIT_QUERY)


def filled(store: Store) -> None:
    """Write a small graph."""
    keys = [EntityKey(f"e{number}") for number in range(12)]
    store.upsert_entities(
        Entity(key=key, label="Country" if n % 2 else "A", name=f"name {n}", attributes={"size": n})
        for n, key in enumerate(keys)
    )
    store.upsert_edges(
        Edge(
            head=keys[n],
            relation=relation,
            tail=keys[(n * step + 1) % 12],
            provenance=(Provenance(kind="asserted", source="fuzz"),),
        )
        for n in range(12)
        for relation, step in (("borders", 1), ("T", 5))
    )


def fingerprint(store: BoltStore) -> str:
    """Return a hash of all that a query could have changed."""
    kinds = store.query("MATCH (n) RETURN labels(n), count(n)").rows
    digest = hashlib.sha256(repr(sorted(map(repr, kinds))).encode())
    for row in (*store.entities(), *store.edges()):
        digest.update(repr(row).encode())
    return digest.hexdigest()


def at_the_gate(text: str, report: Report) -> CheckedQuery | None:
    """Check a text; return it if it is let through."""
    begun = time.process_time()
    try:
        passed = check(text)
    except EngineError as error:
        passed = None
        report.gate[type(error).__name__] += 1
    except Exception as error:  # noqa: BLE001 - a crash is what is looked for
        report.faults.append(f"the gate crashed ({error!r}): {text!r}")
        return None
    else:
        report.gate["let through"] += 1
    took = time.process_time() - begun
    report.slowest_gate_s = max(report.slowest_gate_s, took)
    if took > GATE_LIMIT_S:
        report.faults.append(f"the gate took {took:.1f} s: {text!r}")
    return passed


def in_the_store(store: BoltStore, query: CheckedQuery, report: Report) -> None:
    """Run what the gate let through, as a caller would."""
    parameters = {name: ["e1"] if name == "l" else "e1" for name in query.parameters}
    begun = time.monotonic()
    try:
        table = store.query(query.text, parameters, timeout_s=TIMEOUT_S, max_rows=100)
    except StoreUnavailableError as error:
        report.faults.append(f"the store went away ({error}): {query.text!r}")
    except EngineError as error:
        report.store[type(error).__name__] += 1
    except Exception as error:  # noqa: BLE001 - a crash is what is looked for
        report.faults.append(f"the store's client crashed ({error!r}): {query.text!r}")
    else:
        report.store["answered"] += 1
        if CONTENT in repr(table.rows) and CONTENT not in query.text:
            report.faults.append(f"the canary's content came back: {query.text!r}")
    took = time.monotonic() - begun
    report.slowest_store_s = max(report.slowest_store_s, took)
    if took > TIMEOUT_S + GRACE_S:
        report.faults.append(f"the query took {took:.1f} s: {query.text!r}")


def tried(count: int, *, seed: int, graph: Path, folder: Path) -> Report:
    """Run the texts.

    Args:
        count: How many texts.
        seed: Of the texts.
        graph: Folder of the store; a graph of its own is made in it and dropped.
        folder: Gets the canary.
    """
    report = Report()
    corpus = [*CORPUS, *kit_queries()]
    link = EmbeddedLink(graph, database="fuzz", config=LauncherConfig(heap="512m"))
    with canaries(folder) as (canary, touched), BoltStore(link) as store:
        filled(store)
        before, version = fingerprint(store), store.version
        for number, text in enumerate(fuzzed(count, seed=seed, corpus=corpus, canary=canary)):
            if number % 5000 == 0:
                print(f"{number} of {count}", file=sys.stderr)
            passed = at_the_gate(text, report)
            if passed is None:
                continue
            in_the_store(store, passed, report)
            for what in touched():
                report.faults.append(f"{what}: {text!r}")
        if store.version != version:
            report.faults.append("the version grew")
        if fingerprint(store) != before:
            report.faults.append("the graph changed")
        link.drop()
    return report


def page(result: dict[str, Any]) -> str:
    """Return the page."""
    machine = result["machine"]
    rows = [
        *((f"gate: {name}", count) for name, count in result["gate"].items()),
        *((f"store: {name}", count) for name, count in result["store"].items()),
        ("crashes, hangs, writes, touched files or sockets", len(result["faults"])),
    ]
    about = (
        f"`{result['command']}`, commit {result['commit']}, {result['date']}, "
        f"{machine['cores']} cores, seed {result['seed']}. {result['n']} texts: three fifths are "
        f"mutated from {result['corpus']} queries (of the openCypher kit and our own), the rest "
        "made by a grammar in which one clause in four writes, administers or reaches for files "
        "and the network. What the gate lets through runs as the reader on the embedded store "
        f"with {TIMEOUT_S} s and 100 rows. Slowest text at the gate: "
        f"{1000 * result['slowest_gate_s']:.0f} ms of processor time; slowest query: "
        f"{result['slowest_store_s']:.1f} s."
    )
    lines = ["# Fuzzing the cage around Cypher", "", about, "", "| | texts |", "|---|---|"]
    lines += [f"| {name} | {count} |" for name, count in rows]
    lines += ["", *(f"- {fault[:300]}" for fault in result["faults"])]
    return "\n".join(lines).rstrip() + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Try, print, keep."""
    arguments, given = seeded_arguments(__doc__, argv, count="texts", default=100_000)
    with tempfile.TemporaryDirectory() as name:
        graph = Path(name) / "graph"
        report = tried(arguments.count, seed=arguments.seed, graph=graph, folder=Path(name))
        stop_store(graph)
    result = {
        **run_record("bench.cypher_fuzz", given),
        "seed": arguments.seed,
        "n": arguments.count,
        "corpus": len(CORPUS) + len(kit_queries()),
        "gate": dict(report.gate.most_common()),
        "store": dict(report.store.most_common()),
        "faults": report.faults,
        "slowest_gate_s": report.slowest_gate_s,
        "slowest_store_s": report.slowest_store_s,
    }
    keep(result, page, folder=arguments.out, name="cypher-fuzz")
    return int(bool(report.faults))


if __name__ == "__main__":
    sys.exit(main())
