"""Does the store answer as others do? Random graphs and queries, against networkx and rdflib.

Question: is the answer of the embedded store's Cypher, through `Store.query`, that of a join
written out over networkx, and that of rdflib's SPARQL, on random small graphs and random patterns?
Several hops, alternatives, labels, values, negation, optional parts, paths of variable length,
unions, distinct edges within one MATCH, counts and sums by group, order with SKIP and LIMIT.
Command: ``python -m bench.cypher_differential --out docs/benchmarks``; ten minutes on two cores.
Writes ``cypher-differential.json`` and ``cypher-differential.md``.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import networkx as nx
import rdflib

from bench.cypher_differential_patterns import Pattern, joined, random_pattern, to_cypher, to_sparql
from bench.run_record import keep, run_record, seeded_arguments
from kg.backends.bolt import BoltStore
from kg.backends.embedded import EmbeddedLink
from kg.launcher import LauncherConfig, stop_store
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.store import Store

QUERIES_A_GRAPH = 20
LABELS = ("Red", "Blue")
RELATIONS = ("likes", "knows", "owns")
NAMES = "urn:x:"


@dataclass
class Report:
    """What was compared.

    Attributes:
        pairs: Pairs of a graph and a query, by the kind of query.
        rows: Rows of all answers.
        differing: Pairs whose answers are not all equal, as texts.
    """

    pairs: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    differing: list[str] = field(default_factory=list)


def random_graph(draw: random.Random) -> nx.MultiDiGraph:
    """Return a graph of 3 to 9 nodes with `label` and `size`, and edges keyed by relation."""
    graph = nx.MultiDiGraph()
    nodes = [f"e{number}" for number in range(draw.randint(3, 9))]
    for node in nodes:
        graph.add_node(node, label=draw.choice(LABELS), size=draw.randint(0, 4))
    for _ in range(draw.randint(2, 3 * len(nodes))):
        graph.add_edge(draw.choice(nodes), draw.choice(nodes), key=draw.choice(RELATIONS))
    return graph


def in_store(graph: nx.MultiDiGraph, store: Store) -> None:
    """Make a store hold this graph and nothing else."""
    store.delete_entities([entity.key for entity in store.entities()])
    source = (Provenance(kind="asserted", source="random"),)
    store.upsert_entities(
        Entity(key=EntityKey(node), label=label, name=node, attributes={"size": size})
        for node, label, size in (
            (node, fields["label"], fields["size"]) for node, fields in graph.nodes(data=True)
        )
    )
    store.upsert_edges(
        Edge(head=EntityKey(head), relation=relation, tail=EntityKey(tail), provenance=source)
        for head, tail, relation in graph.edges(keys=True)
    )


def in_rdf(graph: nx.MultiDiGraph) -> rdflib.Graph:
    """Return the same graph as triples."""
    triples = rdflib.Graph()
    place = rdflib.Namespace(NAMES)
    for node, fields in graph.nodes(data=True):
        triples.add((place[node], rdflib.RDF.type, place[fields["label"]]))
        triples.add((place[node], place.size, rdflib.Literal(fields["size"])))
    for head, tail, relation in graph.edges(keys=True):
        triples.add((place[head], place[relation], place[tail]))
    return triples


def of_rdf(value: Any) -> Any:
    """Return a value of rdflib's as the store would give it."""
    if value is None:
        return None
    if isinstance(value, rdflib.Literal):
        return value.toPython()
    return str(value).removeprefix(NAMES)


def differs(pattern: Pattern, graph: nx.MultiDiGraph, store: Store, rdf: rdflib.Graph) -> str:
    """Ask all three; return what differs, or ""."""
    cypher, sparql = to_cypher(pattern), to_sparql(pattern, NAMES)
    answers = {
        "networkx": joined(pattern, graph),
        "store": [tuple(row) for row in store.query(cypher).rows],
        "rdflib": [tuple(map(of_rdf, row)) for row in rdf.query(sparql)],
    }
    forms = {
        name: rows if pattern.limit is not None else Counter(rows) for name, rows in answers.items()
    }
    if forms["networkx"] == forms["store"] == forms["rdflib"]:
        return ""
    told = "; ".join(f"{name} {sorted(rows, key=repr)[:6]}" for name, rows in answers.items())
    return f"{cypher} | {sparql} | {sorted(graph.edges(keys=True))} | {told}"


def compared(count: int, *, seed: int, graph: Path) -> Report:
    """Compare as many pairs of graph and query.

    Args:
        count: How many pairs.
        seed: Of graphs and queries.
        graph: Folder of the store; a graph of its own is made in it and dropped.
    """
    draw, report = random.Random(seed), Report()
    link = EmbeddedLink(graph, database="differential", config=LauncherConfig(heap="512m"))
    with BoltStore(link) as store:
        while report.pairs.total() < count:
            world = random_graph(draw)
            in_store(world, store)
            rdf = in_rdf(world)
            for _ in range(min(QUERIES_A_GRAPH, count - report.pairs.total())):
                pattern = random_pattern(draw, sorted(world.nodes), LABELS, RELATIONS)
                report.pairs[pattern.kind] += 1
                report.rows += len(joined(pattern, world))
                if difference := differs(pattern, world, store, rdf):
                    report.differing.append(difference)
            if report.pairs.total() % 1000 == 0:
                print(f"{report.pairs.total()} of {count}", file=sys.stderr)
        link.drop()
    return report


def page(result: dict[str, Any]) -> str:
    """Return the page."""
    about = (
        f"`{result['command']}`, commit {result['commit']}, {result['date']}, "
        f"{result['machine']['cores']} cores, seed {result['seed']}. Graphs of 3 to 9 entities "
        "with a label, a number and three relations (self-loops too); queries of one to three "
        "hops. The store answers Cypher by `Store.query`, networkx by a join written out over its "
        "edges, rdflib SPARQL; answers are compared as bags, ordered ones as lists: "
        f"{result['rows']} rows."
    )
    lines = ["# Cypher against networkx and SPARQL", "", about, "", "| kind of query | pairs |"]
    lines += ["|---|---|", *(f"| {kind} | {count} |" for kind, count in result["pairs"].items())]
    lines += [f"| all | {sum(result['pairs'].values())} |"]
    lines += [f"| not equal | {len(result['differing'])} |", ""]
    lines += [f"- {text[:600]}" for text in result["differing"]]
    return "\n".join(lines).rstrip() + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Compare, print, keep."""
    arguments, given = seeded_arguments(__doc__, argv, count="pairs", default=10_000)
    with tempfile.TemporaryDirectory() as name:
        graph = Path(name) / "graph"
        report = compared(arguments.count, seed=arguments.seed, graph=graph)
        stop_store(graph)
    result = {
        **run_record("bench.cypher_differential", given),
        "seed": arguments.seed,
        "pairs": dict(sorted(report.pairs.items())),
        "rows": report.rows,
        "differing": report.differing,
    }
    keep(result, page, folder=arguments.out, name="cypher-differential")
    return int(bool(report.differing))


if __name__ == "__main__":
    sys.exit(main())
