"""Runs the W3C's own tests, from a folder where they lie, through the endpoint and the parsers.

Usage: ``python -m bench.w3c FOLDER``, a copy of the repository rdf-tests of the W3C's RDF test
group. It is not part of this project and is fetched by whoever runs this. Each case is run on the
engine itself too: what the engine passes must pass here. Writes docs/benchmarks/w3c.md.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pyoxigraph as ox

from evaluation import current_commit
from kg.errors import EngineError, ReadOnlyError
from kg.files import atomic_write
from kg.formats.records import Reject
from kg.rdf.parsing import read_quads
from kg.sparql import SparqlEndpoint

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks" / "w3c.md"
SUITES = ("sparql/sparql10", "sparql/sparql11", "rdf/rdf11/rdf-turtle", "rdf/rdf11/rdf-n-triples")
MF = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#"
QT = "http://www.w3.org/2001/sw/DataAccess/tests/test-query#"
RDFT = "http://www.w3.org/ns/rdftest#"
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
RESULTS = {
    ".srx": ox.QueryResultsFormat.XML,
    ".srj": ox.QueryResultsFormat.JSON,
    ".tsv": ox.QueryResultsFormat.TSV,
}
SYNTAX = {
    RDFT + "TestTurtlePositiveSyntax": (ox.RdfFormat.TURTLE, True),
    RDFT + "TestTurtleNegativeSyntax": (ox.RdfFormat.TURTLE, False),
    RDFT + "TestNTriplesPositiveSyntax": (ox.RdfFormat.N_TRIPLES, True),
    RDFT + "TestNTriplesNegativeSyntax": (ox.RdfFormat.N_TRIPLES, False),
}


@dataclass
class Facts:
    """What a manifest says, by subject and predicate."""

    of: dict[object, dict[str, list[ox.NamedNode | ox.BlankNode | ox.Literal]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )

    @classmethod
    def read(cls, path: Path) -> Facts:
        """Read one manifest."""
        found = cls()
        for quad in ox.parse(
            path=path, format=ox.RdfFormat.TURTLE, base_iri=path.absolute().as_uri(), lenient=True
        ):
            found.of[quad.subject][quad.predicate.value].append(quad.object)
        return found

    def files(self, subject: object, predicate: str) -> list[Path]:
        """Return the files that a subject names."""
        return [
            Path(term.value.removeprefix("file://"))
            for term in self.of[subject][predicate]
            if isinstance(term, ox.NamedNode)
        ]


@dataclass(frozen=True)
class Quads:
    """A fixed graph for the endpoint."""

    found: tuple[ox.Quad, ...]
    version: int = 1

    def changed(self, since: int) -> None:
        """Say that the steps since a version are not known."""

    def quads(self) -> Iterator[ox.Quad]:
        """Iterate them."""
        return iter(self.found)


def manifests(folder: Path) -> Iterator[Path]:
    """Yield all manifests of the suites."""
    for suite in SUITES:
        found = sorted((folder / suite).rglob("manifest.ttl"))
        yield from (path for path in found if "entailment" not in path.parts)


def run(folder: Path) -> Counter[tuple[str, str]]:
    """Return how many cases of each kind ended how."""
    counts: Counter[tuple[str, str]] = Counter()
    for path in manifests(folder):
        facts = Facts.read(path)
        for subject, said in list(facts.of.items()):
            for kind in [term.value for term in said.get(TYPE, ()) if hasattr(term, "value")]:
                name = kind.rpartition("#")[2]
                if kind == MF + "QueryEvaluationTest":
                    outcome = evaluation(facts, subject)
                elif kind in SYNTAX:
                    outcome = syntax(facts.files(subject, MF + "action")[0], *SYNTAX[kind])
                else:
                    continue
                counts[name, outcome] += 1
                if outcome == "failed here alone":
                    print(f"{path.relative_to(folder)}: {getattr(subject, 'value', subject)}")
    return counts


def evaluation(facts: Facts, case: object) -> str:
    """Run a query on the engine and through the endpoint."""
    action = facts.of[case][MF + "action"][0]
    text = facts.files(action, QT + "query")[0].read_text(encoding="utf-8")
    expected = facts.files(case, MF + "result")[0]
    try:
        quads = tuple(data(facts, action))
        wanted = result(expected)
    except (SyntaxError, OSError, ValueError):
        return "left out: its files cannot be read"
    if wanted is None:
        return "left out: form of the expected result"
    base = facts.files(action, QT + "query")[0].absolute().as_uri()
    if re.search("FROM|BASE", text) or re.search(r"<[^:>]*>", text):
        text = f"BASE <{base}>\n{text}"
    engine = ox.Store()
    engine.extend(quads)
    alone = None
    with suppress(SyntaxError, OSError, RuntimeError, ValueError):
        alone = canonical(engine.query(text))
    if alone != wanted:
        return "failed by the engine"
    try:
        with SparqlEndpoint(Quads(quads)) as endpoint:
            answer = endpoint.query(text, graph="application/n-triples")
    except ReadOnlyError:
        return "refused: it asks another server"
    except EngineError as error:
        print(f"  {error}")
        return "failed here alone"
    graph = answer.media == "application/n-triples"
    return "passed" if parsed(answer.body, graph=graph) == wanted else "failed here alone"


def data(facts: Facts, action: object) -> Iterator[ox.Quad]:
    """Yield the data of a case, named graphs by the addresses of their files."""
    for path in facts.files(action, QT + "data"):
        for quad in read(path):
            yield ox.Quad(quad.subject, quad.predicate, quad.object)
    for path in facts.files(action, QT + "graphData"):
        name = ox.NamedNode(path.absolute().as_uri())
        for quad in read(path):
            yield ox.Quad(quad.subject, quad.predicate, quad.object, name)


def read(path: Path) -> Iterable[ox.Quad]:
    """Parse a file of RDF."""
    return ox.parse(path=path, base_iri=path.absolute().as_uri(), rename_blank_nodes=True)


def result(path: Path) -> object:
    """Return an expected result in a form that can be compared; None where it is not read."""
    if path.suffix in RESULTS:
        return canonical(ox.parse_query_results(path=path, format=RESULTS[path.suffix]))
    if path.suffix in (".ttl", ".nt", ".rdf"):
        triples = [quad.triple for quad in read(path)]
        if any("result-set#" in triple.predicate.value for triple in triples):
            return None  # rows written as triples
        return bag(str(triple) for triple in triples)
    return None


def parsed(body: bytes, *, graph: bool) -> object:
    """Return an answer of the endpoint in a form that can be compared."""
    if graph:
        found = ox.parse(body, format=ox.RdfFormat.N_TRIPLES)
        return bag(str(quad.triple) for quad in found)
    return canonical(ox.parse_query_results(body, format=ox.QueryResultsFormat.JSON))


def canonical(found: ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples) -> object:
    """Return what an answer holds, blank nodes all alike."""
    if isinstance(found, ox.QueryBoolean):
        return bool(found)
    if isinstance(found, ox.QueryTriples):
        return bag(map(str, found))
    names = [variable.value for variable in found.variables]
    return bag(
        json.dumps({name: str(row[name]) for name in sorted(names) if row[name] is not None})
        for row in found
    )


def bag(texts: Iterable[str]) -> Counter[str]:
    """Return how often each text occurs, blank nodes all alike."""
    return Counter(re.sub(r"_:\w+", "_:b", text) for text in texts)


def syntax(path: Path, form: ox.RdfFormat, good: bool) -> str:
    """Read a file by the parser itself and as an import does."""
    base = path.absolute().as_uri()
    try:
        for _ in ox.parse(path=path, format=form, base_iri=base):
            pass
        engine = True
    except SyntaxError:
        engine = False
    if engine != good:
        return "failed by the engine"
    try:
        found = any(isinstance(item, Reject) for item in read_quads(path, form))
    except EngineError:
        found = True
    return "passed" if found != good else "failed here alone"


def page(counts: Counter[tuple[str, str]]) -> str:
    """Return the page of the figures."""
    kinds = sorted({kind for kind, _ in counts})
    outcomes = sorted({outcome for _, outcome in counts}, key=lambda text: (text != "passed", text))
    head = (
        f"`python -m bench.w3c FOLDER` at {current_commit()}, {datetime.now(UTC).date()}, "
        f"pyoxigraph {ox.__version__}; FOLDER is a copy of the W3C's rdf-tests, of which "
        f"{', '.join(SUITES)} were run."
    )
    foot = (
        "Query cases go through the endpoint of `umbra sparql` and `/v1/sparql`, syntax cases "
        "through the reader of `umbra build`. *Failed here alone* counts what the engine itself "
        "passes; it keeps numbers by their value (1.0e0 is 1), which some cases do not expect. "
        "Blank nodes are compared as one. Entailment is not run. Left out are cases whose expected "
        "rows are written as triples or as CSV."
    )
    rows = [
        f"| {kind} | {' | '.join(str(counts[kind, outcome]) for outcome in outcomes)} |"
        for kind in kinds
    ]
    table = [f"| kind | {' | '.join(outcomes)} |", f"|---|{'---|' * len(outcomes)}", *rows]
    return "\n".join(["# The W3C's tests", "", head, "", *table, "", foot]) + "\n"


def main() -> None:
    """Run all and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    counts = run(parser.parse_args().folder)
    with atomic_write(PAGE) as file:
        file.write(page(counts).encode())
    print(page(counts))


if __name__ == "__main__":
    main()
