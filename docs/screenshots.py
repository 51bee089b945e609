"""Takes the pictures of the explorer that the docs show, on the graph that `umbra demo` built.

    umbra demo examples/countries
    python -m docs.screenshots
    python -m docs.screenshots --check     # do the pictures show the page as it is now?

It needs Chromium. To have something to show it links a few mentions as a job and makes review cases
of its links; nothing is decided. The pictures are indexed PNGs of a few dozen kilobytes.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

from PIL import Image

from api.engine import Engine
from api.settings import load_settings
from api.workspace import find_workspace
from tests.api.browser import Browser, browsing, chromium
from tests.api.pages import listening

__all__ = ["IMAGES", "QUESTION", "SHOTS", "WIDTH", "Shot", "page_digest", "prepare", "take"]

IMAGES = Path(__file__).with_name("images")
STAMP = IMAGES / "explorer.json"
PAGE = Path(__file__).parents[1] / "api" / "explorer"
COLOURS = 256
WIDTH = 1120
PATIENCE_S = 300.0
"""Longer than a server waits by default: pictures may be taken on a busy machine."""

QUESTION = """MATCH (c:Country)-[:borders]->(n:Country)-[:has_part]->(p:Part)
  -[:has_label]->(:Shape {key: 'shape:crescent'})
WHERE NOT (c)-[:speaks]->(:Language {name: 'Arabic'})
RETURN c"""
MENTIONS = ("Turkish", "Congo", "Guinean", "Korea")
FORM = """(() => {
  const relation = document.querySelector('.relation'), target = document.querySelector('.target');
  relation.value = '>borders'; target.value = 'Chad';
  target.dispatchEvent(new Event('change', {bubbles: true}));
})()"""


@dataclass(frozen=True)
class Shot:
    """One picture.

    Attributes:
        name: Of the file, without its ending.
        address: What the page shows.
        ready: An expression that becomes true when all is there.
        steps: What is done before the picture, one expression after another.
        height: Of the window, in pixels.
        dark: Whether the system wishes dark pages.
    """

    name: str
    address: str
    ready: str
    steps: tuple[str, ...] = ()
    height: int = 860
    dark: bool = False


_ASKED = "document.getElementById('answers').ariaBusy === 'false'"
_GRAPH = (
    "[...document.querySelectorAll('.graph')]"
    ".every((frame) => frame.graph && frame.dataset.pictures !== 'loading')"
)
_SUGGESTED = (
    "[...document.querySelectorAll('.suggested')].every((place) => place.ariaBusy === 'false')"
)
"""What to ask next comes after what was found; a picture without it would show half of the page."""
_VIEW = "document.querySelector('#view .title')"
_OPEN_FIRST = "document.querySelector('.group.known .answer-head').click()"
_ASK = f"?q={quote(QUESTION)}&k=3"

_PROOF = (_OPEN_FIRST, "document.querySelector('.group.known').scrollIntoView()")
_TURKEY = "?view=entity&key=country%3ATR"
_CHIP = "document.querySelector('.chip')"
_CRESCENT = (
    "[...document.querySelectorAll('a.chip')].find((c) => /crescent/.test(c.innerText))?.focus()"
)
_FILLED = ("document.getElementById('tab-form').click()", FORM)

SHOTS = (
    Shot("explorer", _ASK, _ASKED, height=1100),
    Shot("explorer-proof", _ASK, _ASKED, _PROOF, height=1000),
    Shot("explorer-form", "", _CHIP, _FILLED, height=520),
    Shot("explorer-entity", _TURKEY, _VIEW, (_CRESCENT,), height=900),
    Shot("explorer-search", "?view=search&s=white%20crescent", _VIEW, height=720),
    Shot("explorer-review", "?view=review", _VIEW, height=820),
    Shot("explorer-jobs", "?view=jobs", _VIEW, height=520),
    Shot("explorer-dark", _ASK, _ASKED, _PROOF, height=1000, dark=True),
)


def take(browser: Browser, address: str, shot: Shot) -> bytes:
    """Return one picture as a small PNG."""
    browser.prefer("dark" if shot.dark else "light")
    browser.resize(WIDTH, shot.height)
    browser.open(f"{address}/{shot.address}")
    browser.wait(f"{shot.ready} && {_GRAPH} && {_SUGGESTED}")
    for step in shot.steps:
        browser.run(f"{step}; 0")
    browser.wait(_GRAPH)
    browser.wait("[...document.images].every((image) => image.complete)")
    time.sleep(0.8)  # pictures inside a drawn graph load after it, and nothing tells when
    png = browser.screenshot(whole=False)
    with Image.open(io.BytesIO(png)) as picture:
        small = picture.convert("RGB").quantize(COLOURS, kmeans=1, dither=Image.Dither.NONE)
    file = io.BytesIO()
    small.save(file, "PNG", optimize=True)
    return file.getvalue()


def page_digest() -> str:
    """Return a digest of the page's own files: other pictures are due when it changes."""
    digest = hashlib.sha256()
    for path in sorted(PAGE.iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _call(address: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(address + path, data, headers)) as response:  # noqa: S310 - loopback
        return json.load(response)


def _search(address: str) -> None:
    """Search until the indexes that the first search begins are there."""
    for _ in range(120):
        with suppress(HTTPError):  # the time limit of one request
            if not _call(address, "/v1/search?q=crescent")["warnings"]:
                return
        time.sleep(2)
    raise SystemExit("the indexes of the search do not come")


def prepare(address: str) -> None:
    """Search once, link a few mentions as a job, and make cases of its links."""
    _search(address)
    mentions = [
        {"id": f"m{n}", "mention": mention, "context": f"The {mention} coast.", "start": 4,
         "end": 4 + len(mention)}
        for n, mention in enumerate(MENTIONS)
    ]  # fmt: skip
    body = {"kind": "link", "parameters": {"mentions": mentions}}
    job = _call(address, "/v1/jobs", body)["id"]
    while (state := _call(address, f"/v1/jobs/{job}")["state"]) in ("pending", "running"):
        time.sleep(0.5)
    if state != "done":
        raise SystemExit(f"the job {job} is {state}")
    states = ["linked", "review", "nil"]
    _call(address, "/v1/review/cases", {"job": job, "states": states})


def all_shots(engine: Engine, wanted: Sequence[Shot]) -> Iterator[tuple[Shot, bytes]]:
    """Serve a graph and yield its pictures."""
    program = chromium()
    if program is None:
        raise SystemExit("there is no Chromium: install it, or keep the pictures that are there")
    with (
        tempfile.TemporaryDirectory() as profile,
        listening(engine) as address,
        browsing(program, Path(profile)) as browser,
    ):
        browser.patience_s = PATIENCE_S
        prepare(address)
        for shot in wanted:
            yield shot, take(browser, address, shot)


def main(argv: Sequence[str] | None = None) -> int:
    """Take the pictures, or tell whether they are old."""
    parser = argparse.ArgumentParser(description="Take the pictures of the explorer.")
    parser.add_argument("--folder", type=Path, help="working folder (default: the nearest .umbra)")
    parser.add_argument("--only", action="append", help="only this one; may be repeated")
    parser.add_argument("--check", action="store_true", help="exit 1 if the page has changed since")
    arguments = parser.parse_args(argv)
    if arguments.check:
        same = set(json.loads(STAMP.read_text()).values()) == {page_digest()}
        print("up to date" if same else "the page has changed: python -m docs.screenshots")
        return 0 if same else 1
    wanted = [shot for shot in SHOTS if not arguments.only or shot.name in arguments.only]
    workspace = find_workspace(arguments.folder)
    settings = load_settings(workspace.settings).model_copy(update={"timeout_s": PATIENCE_S})
    with Engine(workspace, settings=settings) as engine:
        for shot, png in all_shots(engine, wanted):
            (IMAGES / f"{shot.name}.png").write_bytes(png)
            stamps = json.loads(STAMP.read_text()) if STAMP.exists() else {}
            stamps[shot.name] = page_digest()
            STAMP.write_text(json.dumps(stamps, indent=1, sort_keys=True) + "\n")
            print(f"{shot.name}.png  {len(png) // 1024} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
