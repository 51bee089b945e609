"""How long the ten main tasks of an analyst take in the explorer, and what axe-core finds.

Question: is the first answer of a cold page there within two seconds on the demo's graph, does each
task work, and is any view hard for a screen reader or a keyboard? No rival. The browser is driven
by mouse and keyboard events; times include the driver's own 50 ms between two looks. A cold page is
one of a browser that was just started with a new profile. "First question of the server" is the
same with a server that has loaded nothing yet. Verdicts come last: they change the graph, and the
first search after a change makes the index of words again.

    umbra demo examples/countries
    python -m bench.explorer --out docs/benchmarks

A few minutes. The demo's graph is as before afterwards; review cases and jobs stay.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from api.engine import Engine
from bench.explorer_tasks import TASKS, Place, ask
from bench.run_record import keep, run_record
from docs.screenshots import QUESTION, prepare
from kg.backends.memory import MemoryStore
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from tests.api.axe import findings
from tests.api.browser import Browser, browsing, chromium
from tests.api.pages import listening
from tests.api.world import open_world

NEIGHBOURS = 100_000
VIEWS = {
    "ask": f"?q={quote(QUESTION)}&k=3",
    "entity": "?view=entity&key=country%3ATR",
    "search": "?view=search&s=white%20crescent",
    "review": "?view=review",
    "jobs": "?view=jobs",
    "saved": "?view=saved",
}


@contextmanager
def new_browser(program: str) -> Iterator[Browser]:
    """Start a browser with a new profile."""
    with tempfile.TemporaryDirectory() as profile, browsing(program, Path(profile)) as browser:
        yield browser


def first_answer(program: str, address: str) -> float:
    """Return the seconds from opening the page in a new browser to its first answer."""
    with new_browser(program) as browser:
        browser.open("about:blank")
        started = time.monotonic()
        browser.open(f"{address}/{VIEWS['ask']}")
        browser.wait("document.querySelector('.answer')")
        return time.monotonic() - started


@contextmanager
def hub_page(folder: Path) -> Iterator[str]:
    """Serve an entity that really has 100,000 neighbours, and return its address."""
    store = MemoryStore()
    hub, said = EntityKey("hub"), (Provenance(kind="asserted", source="hub.csv"),)
    leaves = [EntityKey(f"leaf:{n:06}") for n in range(NEIGHBOURS)]
    store.upsert_entities([Entity(key=hub, label="Hub", name="Hub")])
    store.upsert_entities(Entity(key=key, label="Leaf", name=key) for key in leaves)
    edges = (Edge(head=hub, relation="has", tail=key, provenance=said) for key in leaves)
    store.upsert_edges(edges)
    with open_world(folder, store=store) as engine, listening(engine) as address:
        yield f"{address}/?view=entity&key=hub"


def axe_of(browser: Browser, address: str) -> dict[str, list[str]]:
    """Return what axe finds in each view, light and dark."""
    found = {}
    for view, path in VIEWS.items():
        for scheme in ("light", "dark"):
            browser.prefer(scheme)
            browser.open(f"{address}/{path}")
            browser.wait("document.querySelector('#view .title, .answer')")
            browser.run(
                "document.querySelectorAll('.answers > :first-child > .answer-head')"
                ".forEach((head) => head.click())"
            )
            found[f"{view}, {scheme}"] = findings(browser)
    browser.prefer("light")
    return found


def measured(folder: Path, repeat: int) -> dict[str, Any]:
    """Return all times and findings."""
    program = chromium()
    if program is None:
        raise SystemExit("there is no Chromium")
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        engine = stack.enter_context(Engine.open(folder))
        address = stack.enter_context(listening(engine))
        cold_server = first_answer(program, address)
        cold_page = [first_answer(program, address) for _ in range(repeat)]
        prepare(address)
        hub = stack.enter_context(hub_page(work / "hub"))
        browser = stack.enter_context(new_browser(program))
        place = Place(browser, address, engine.workspace.folder, hub)
        ask(place, QUESTION)  # what is loaded on first use is no part of a task
        tasks = {}
        for name, task in TASKS.items():
            seconds, seen = [], ""
            for _ in range(repeat):
                started = time.monotonic()
                seen = task(place)
                seconds.append(time.monotonic() - started)
            tasks[name] = {
                "median_s": statistics.median(seconds),
                "max_s": max(seconds),
                "seen": seen,
            }
            print(f"{name}: {tasks[name]['median_s']:.2f} s, {seen}", file=sys.stderr)
        return {
            "snapshot": engine.snapshot.hash,
            "entities": engine.snapshot.num_entities,
            "edges": engine.snapshot.num_edges,
            "cold_page_s": cold_page,
            "cold_server_s": cold_server,
            "tasks": tasks,
            "axe": axe_of(browser, address),
            "complaints": browser.complaints,
        }


def page(result: dict[str, Any]) -> str:
    """Return the page of a result."""
    machine, cold = result["machine"], result["cold_page_s"]
    told = (
        f"`{result['command']}`, commit {result['commit']}, {result['date']},"
        f" {machine['cores']} cores, {machine['memory_gb']} GB. The demo's graph:"
        f" {result['entities']:,} entities, {result['edges']:,} edges. `bench/explorer.py` says how"
        " it is measured."
    )
    first = (
        f"First answer on a cold page: median {statistics.median(cold):.2f} s, slowest"
        f" {max(cold):.2f} s of {len(cold)} (aim: within 2 s). First question of a server that has"
        f" loaded nothing: {result['cold_server_s']:.2f} s."
    )
    found = sum(map(len, result["axe"].values()))
    axe = f"Serious or critical findings of axe-core 4.14.1, view by view: {found} in all."
    lines = ["<!-- Written by `python -m bench.explorer`. -->", ""]
    lines += ["# The explorer: ten tasks, times, axe-core", "", told, "", first, ""]
    lines += ["| task | median | slowest | what was seen |", "|---|---:|---:|---|"]
    for name, row in result["tasks"].items():
        times = f"{row['median_s']:.2f} s | {row['max_s']:.2f} s"
        lines.append(f"| {name} | {times} | {row['seen']} |")
    lines += ["", axe, "", "| view | findings |", "|---|---|"]
    lines += [f"| {name} | {'; '.join(rows) or 'none'} |" for name, rows in result["axe"].items()]
    errors = len(result["complaints"])
    lines += ["", f"Errors of scripts and of the content policy on the way: {errors}.", ""]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print the page, keep it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, help="the demo's folder (default: nearest .umbra)")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--out", type=Path, help="folder of the JSON and the page")
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = parser.parse_args(given)
    result = run_record("bench.explorer", given)
    result |= measured(arguments.folder, arguments.repeat)
    keep(result, page, folder=arguments.out, name="explorer")
    return 0


if __name__ == "__main__":
    sys.exit(main())
