"""How many questions in plain English are read as what they ask?

Question: over hand-written questions about the demo's graph, each with its query, and over
sentences written by a template from sampled query trees, how often does the query that the rules
read have exactly the gold query's answers, how often is it another one, and how often is the
question refused?

Command: ``python -m bench.plain_questions FOLDER --out docs/benchmarks`` where FOLDER is a working
folder after ``umbra build examples/countries/graph.toml`` and ``umbra scenes run`` (a minute).
Rivals: the same rules without vectors, and the one-clause reading (the first name and the relation
that its words are nearest to). The hand-written questions lie in ``bench/plain/questions.jsonl``:
the rules were written with the half ``dev`` in view; ``test`` was run once, when they were done.
One person wrote rules and questions, so that the questions of others may well fare worse.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from api.engine import Engine
from api.steps.snapshot import freeze
from bench.plain.sentences import sampled_questions
from bench.run_record import keep, run_record
from evaluation import standard_error
from kg.errors import InputError
from kg.snapshot import Snapshot
from reasoning.exact import evaluate
from reasoning.normal_form import normalise
from reasoning.notations import read_query
from reasoning.plain import Lexicon, read_plain
from reasoning.query import Projection, Query

__all__ = ["asked_by_hand", "main", "measured"]

QUESTIONS = Path(__file__).with_name("plain") / "questions.jsonl"
Read = Callable[[str], Query]
Asked = tuple[str, str, Query]
"""Shape, question, gold tree."""


def asked_by_hand(graph: Snapshot, half: str) -> Iterator[Asked]:
    """Iterate the hand-written questions of a half."""
    with QUESTIONS.open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            if row["half"] == half:
                yield row["shape"], row["question"], read_query(row["query"], snapshot=graph)


def measured(questions: Sequence[Asked], read: Read, graph: Snapshot) -> dict[str, Any]:
    """Compare what is read with what is meant: by answers, and by the tree's normal form."""
    rows = []
    for shape, question, gold in questions:
        try:
            tree = read(question)
            found = list(evaluate(tree, graph, 0.0))
        except InputError as error:
            rows.append({"shape": shape, "question": question, "outcome": "refused",
                         "said": str(error)[:120], "same_tree": False})  # fmt: skip
            continue
        right = found == list(evaluate(gold, graph, 0.0))
        rows.append({"shape": shape, "question": question,
                     "outcome": "right" if right else "wrong",
                     "same_tree": normalise(tree) == normalise(gold)})  # fmt: skip
    hits = [row["outcome"] == "right" for row in rows]
    return {
        "n": len(rows),
        "right": sum(hits) / len(rows),
        "se": standard_error([float(hit) for hit in hits]),
        "wrong": sum(row["outcome"] == "wrong" for row in rows) / len(rows),
        "refused": sum(row["outcome"] == "refused" for row in rows) / len(rows),
        "same_tree": sum(row["same_tree"] for row in rows) / len(rows),
        "rows": rows,
    }


def _one_clause(lexicon: Lexicon) -> Read:
    """Return the rival: one name and the relation nearest to all words."""
    from reasoning.plain.spots import spots_of

    def read(question: str) -> Query:
        from reasoning.query import Anchor

        spots = spots_of(question, lexicon)
        named = next((spot for spot in spots if spot.kind == "entity"), None)
        label = next((spot.name for spot in spots if spot.kind == "label"), None)
        if named is None:
            raise InputError("no name")
        said = [spot.text for spot in spots if spot.kind == "word"]
        meant = lexicon.relation(said, label, lexicon.label_of(named.keys[0]))
        if meant is None:
            raise InputError("no relation")
        return Projection(meant.relation, Anchor(named.keys[0]), inverse=not meant.inverse)

    return read


def _page(result: dict[str, Any]) -> str:
    lines = ["<!-- Written by `python -m bench.plain_questions`. -->", ""]
    lines += ["# Questions in plain English", ""]
    told = (
        "A question is right if the query that was read has exactly the answers of the query that"
        " belongs to it, over what the graph holds; wrong if it has others; refused if nothing was"
        f" read. Commit `{result['commit']}`, {result['date']}, {result['machine']['cores']} cores,"
        f" seed {result['seed']}: `{result['command']}`. `bench/plain_questions.py` says who wrote"
        " the questions and which half the rules were written with."
    )
    lines += [told, "", "| questions | who reads | n | right (standard error) | wrong | refused |"]
    lines += ["|---|---|---:|---:|---:|---:|"]
    for name, readers in result["sets"].items():
        for reader, row in readers.items():
            lines.append(
                f"| {name} | {reader} | {row['n']} | {row['right']:.3f} ({row['se']:.3f})"
                f" | {row['wrong']:.3f} | {row['refused']:.3f} |"
            )
    lines += ["", "## By shape, rules with vectors", "", "| questions | shape | right | of |"]
    lines += ["|---|---|---:|---:|"]
    for name, readers in result["sets"].items():
        rows = readers["rules"]["rows"]
        for shape in dict.fromkeys(row["shape"] for row in rows):
            outcomes = [row["outcome"] for row in rows if row["shape"] == shape]
            lines.append(f"| {name} | {shape} | {outcomes.count('right')} | {len(outcomes)} |")
    lines += ["", "## Hand-written questions of the test half that were not read right", ""]
    for row in result["sets"]["by hand, test"]["rules"]["rows"]:
        if row["outcome"] != "right":
            said = f" ({row['said']})" if "said" in row else ""
            lines.append(f"- {row['outcome']}: {row['question']}{said}")
    return "\n".join([*lines, ""])


def main(arguments: Sequence[str] | None = None) -> None:
    """Read all questions, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="working folder of the demo's graph")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--each", type=int, default=25, help="sampled questions of a shape")
    parser.add_argument("--out", type=Path, help="folder of the JSON and the page")
    given = parser.parse_args(arguments)
    shown = ["FOLDER", *(sys.argv[2:] if arguments is None else arguments[1:])]
    with Engine.open(given.folder) as engine:
        freeze(engine)
        graph, whole = engine.snapshot, engine.plain.lexicon()
        bare = Lexicon(graph, whole.names)
        readers: dict[str, Read] = {
            "rules": lambda text: read_plain(text, whole).tree,
            "rules without vectors": lambda text: read_plain(text, bare).tree,
            "one clause": _one_clause(whole),
        }
        sets = {
            "by hand, dev": list(asked_by_hand(graph, "dev")),
            "by hand, test": list(asked_by_hand(graph, "test")),
            "written from trees": list(sampled_questions(graph, given.each, given.seed)),
        }
        result = {
            **run_record("bench.plain_questions", shown),
            "seed": given.seed,
            "sets": {
                name: {who: measured(asked, read, graph) for who, read in readers.items()}
                for name, asked in sets.items()
            },
        }
    keep(result, _page, folder=given.out, name="plain-questions")


if __name__ == "__main__":
    main()
