"""How well does the search that is shipped find what stands in the demo, by where it stands?

Question: nDCG@10 and MRR of BM25 over all fields alone, of vectors alone, of both fused, of all
lists fused, and of the shipped search, on the test queries of the demo's graph
(`bench.search_demo_sets` says which). Nothing is fitted here: what is shipped was fitted by
`bench.search` on valid queries of several graphs, this one's among them. Beside it stands the same
search fitted without any query of this graph.

Command: ``python -m bench.search_demo FOLDER --out docs/benchmarks`` (two minutes); FOLDER is the
working folder of ``umbra demo``.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from api.search.blending import Blend
from bench.run_record import keep, run_record
from bench.search import judged
from bench.search_demo_sets import DEMO_DATA, GRAPH, demo_test, in_memory
from bench.search_lists import lists_of
from bench.search_page import tables
from encoders import packaged_text_encoder

__all__ = ["main", "measured", "page"]

FITS = Path("docs/benchmarks/search.json")
"""What `bench.search` kept: the fit without this graph is in it."""


def measured(rows: Sequence[Mapping[str, Any]], stranger: Blend) -> list[dict[str, Any]]:
    """Return what the shipped search reaches on each set, beside others.

    Args:
        rows: Queries with their lists.
        stranger: Fitted without this graph.
    """
    sets: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        sets[row["set"]].append(dict(row))
    blend = Blend.packaged()
    return [
        {"graph": GRAPH, "kind": kind, **judged(asked, blend, stranger)}
        for kind, asked in sorted(sets.items())
    ]


def page(result: Mapping[str, Any]) -> str:
    """Return the page of a result."""
    told = (
        "nDCG@10 (standard error), MRR. *Shipped* was fitted on valid queries of several graphs,"
        " this one's among them ([search](search.md)); *graph never seen* is the same search fitted"
        " without this graph. All 250 countries are searched. Test queries alone: looked at once by"
        " the search that this one replaced, and once by this one."
        f" `{result['command']}`, commit {result['commit']}, {result['date']},"
        f" {result['machine']['cores']} cores, seed {result['seed']}."
    )
    lines = ["<!-- Written by `python -m bench.search_demo`. -->", "", "# Search on the demo", ""]
    lines += [told, "", *tables(result["test"]), "", (
        "`names` are foreign names and adjectives that no name of the graph spells; `facts` are two"
        " or three facts that hold for one country alone, as “borders Niger, speaks Arabic”;"
        " `picture` is the description of a flag. The demo holds no prose of entities."
    )]  # fmt: skip
    return "\n".join([*lines, ""])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="working folder of `umbra demo`")
    parser.add_argument("--data", type=Path, default=DEMO_DATA)
    parser.add_argument("--fits", type=Path, default=FITS, help="what bench.search kept")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args(arguments)
    store = in_memory(given.folder)
    encoder = packaged_text_encoder(given.folder / "indexes", workers=1, remembers=False)
    rows = list(lists_of(demo_test(store, given.data, given.seed), encoder, None))
    fits = json.loads(given.fits.read_text(encoding="utf-8"))["strangers"]
    found = measured(rows, Blend.of_json(fits[GRAPH]))
    record = run_record("bench.search_demo", ["FOLDER", "--out", "docs/benchmarks"])
    keep({**record, "seed": given.seed, "test": found}, page, folder=given.out, name="search-demo")


if __name__ == "__main__":
    main()
