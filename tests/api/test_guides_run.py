"""The guides to the demo's graph, done as a reader does them: commands, requests and code.

Which guide is run where stands below, and none is left out: a block that is not run says why, in a
comment before it.
"""

from __future__ import annotations

import gzip
import json
import re
import shlex
import shutil
from collections.abc import Iterator
from itertools import dropwhile, pairwise
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.cli.main import main
from api.engine import Engine
from api.workspace import Workspace
from tests.api.conftest import ADDRESS
from tests.api.guide_world import guide_world
from tests.api.reader_folder import reading_in
from tests.api.short_trainings import shortened
from tests.meta.test_guides import BLOCK, DOCS
from tests.reasoning.folder_world import write_folder

HERE = (
    *("README", "agents", "cypher-and-sparql", "documents", "evaluating", "formats"),
    *("ground-a-phrase", "keep-your-graph", "notebooks", "parts-of-pictures", "plain-questions"),
    *("read-an-answer", "reconcile", "search", "serving", "tutorial"),
)
OWN = ("mapping", "schema", "train-your-own")
"""Guides to graphs that a reader brings."""
ELSEWHERE = {
    "bring-your-own-graph": "tests/api/test_own_graph_guide.py",
    "check-your-links": "tests/api/test_guide_commands.py",
    "link-your-table": "tests/api/test_guide_commands.py",
    "queries": "tests/reasoning/test_notations_docs.py",
    "review-links": "tests/api/test_guide_commands.py",
    "undo": "tests/api/test_undo_guide.py",
}
"""Guides with worlds of their own, and the tests that run them."""
CODE = ("add-a-model", "bring-your-own-encoder", "link-probabilities", "rare-and-new-predicates")
"""Guides of which only the code is run, by tests/meta/test_guides.py."""
SERVERS = ("serve", "mcp", "demo")
"""Commands that other tests start."""
SHELL = ("make", "source", "cd", "pip")
REPORT = """# Ports

Chad has no port. The port of Algiers has a lighthouse.

![a white crescent on red](tr.png)
"""
CITIES = """
format = 1

[[entities]]
file = "cities.csv"
label = "City"
key = "city:{name}"
name = "{name}"

[entities.attributes]
people = { path = "people", type = "int" }

[[entities]]
file = "cities.csv"
label = "Country"
key = "country:{country}"
name = "{country}"

[[edges]]
file = "cities.csv"
head = "city:{name}"
relation = "capital_of"
tail = "country:{country}"
"""
ROME = """
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
<urn:umbra:entity:city:Rome> a <urn:umbra:label:City> ;
  rdfs:label "Rome" ;
  <urn:umbra:attribute:people> 2800000 .
"""
BOX = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [2, 2, 8, 8]}
INSTANCES = {
    "images": [{"id": 1, "file_name": "a.jpg", "width": 20, "height": 20}],
    "categories": [{"id": 1, "name": "horse"}],
    "annotations": [BOX],
}


def page_of(guide: str) -> Path:
    return DOCS.parent / "README.md" if guide == "README" else DOCS / f"{guide}.md"


def steps(guide: str) -> list[re.Match[str]]:
    return list(BLOCK.finditer(page_of(guide).read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with guide_world(tmp_path_factory.mktemp("guides")) as workspace:
        yield workspace


@pytest.fixture
def place(made: Workspace, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which a reader stands, with the files that the guides take for granted."""
    folder = made.folder.parent
    monkeypatch.chdir(folder)
    monkeypatch.delenv("UMBRA_FOLDER", raising=False)
    made.keys.unlink(missing_ok=True)  # those that another guide has made
    (folder / "world").mkdir(exist_ok=True)
    if not (folder / "world" / ".umbra").exists():
        (folder / "world" / ".umbra").symlink_to(made.folder)
    (folder / "reports").mkdir(exist_ok=True)
    (folder / "reports" / "ports.md").write_text(REPORT, encoding="utf-8")
    shutil.copy(folder / "examples" / "countries" / "flags" / "TR.png", folder / "reports/tr.png")
    (folder / "instances.json").write_text(json.dumps(INSTANCES), encoding="utf-8")
    mentions = next(b["text"] for b in steps("tutorial") if '"mention"' in b["text"])
    (folder / "mentions.jsonl").write_text(mentions, encoding="utf-8")
    questions = ["MATCH (c:Country)-[:borders]->(:Country {name: 'Chad'}) RETURN c"]
    (folder / "questions.jsonl").write_text("".join(f"{json.dumps(q)}\n" for q in questions))
    return folder


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the tables, shapes and edges that a reader brings."""
    write_own(tmp_path)
    with reading_in(tmp_path, monkeypatch) as folder:
        yield folder


def write_own(folder: Path) -> None:
    told = {block["kind"]: block["text"] for block in steps("schema")}
    texts = {
        "people.csv": "id,name,nicknames,born,friends\n1,Ada,A;Countess,1815,2\n2,Bo,,,\n",
        "cities.csv": "name,people,country\nTirana,418495,Albania\n",
        "graph.toml": CITIES,
        "schema.toml": told["toml"],
        "shapes.ttl": told["turtle"],
        "world.ttl": ROME,
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    graph = write_folder(folder / "mygraph")
    with (folder / "mygraph" / "train.tsv").open("a") as file:
        file.write("ann\tworksfor\tintel\nbo\tworksfor\tintel\nChad\tspeaks\tArabic\n")
    numbers = (f"{key}\tarea_km2\t{n}\n" for n, key in enumerate(graph.train.entities))
    with gzip.open(folder / "mygraph" / "numeric.tsv.gz", "wt") as file:
        file.writelines(numbers)
    settings = next(b["text"] for b in steps("train-your-own") if '"embedding"' in b["text"])
    (folder / "settings.json").write_text(settings, encoding="utf-8")
    question = "MATCH (x)-[:worksfor]->({name: 'intel'}) RETURN x"
    (folder / "questions.txt").write_text(f"{question}\n", encoding="utf-8")


class Reader:
    """Does what the blocks of a guide say, one after another."""

    def __init__(self, client: TestClient, capsys: pytest.CaptureFixture[str]) -> None:
        self._client = client
        self._capsys = capsys
        self._names: dict[str, Any] = {}
        self._made = ""
        self.ran = 0

    def follows(self, guide: str) -> None:
        """Do all that is not marked as not run, from top to bottom."""
        for block, following in pairwise([*steps(guide), None]):
            assert block is not None
            if block["skip"] or "cd examples/people" in block["text"]:
                continue  # the latter: tests/api/test_first_answer.py
            if block["kind"] == "sh":
                self.types(block["text"], following)
            elif block["kind"] == "python":
                self.runs(block["text"], guide)
        for value in self._names.values():
            if isinstance(value, Engine):
                value.close()

    def types(self, text: str, following: re.Match[str] | None) -> None:
        """Run the lines of a shell; what they print on failing stands in the block after them."""
        told = "" if following is None else following["text"]
        refused = told if told.startswith("umbra: ") else None
        for line in text.replace("\\\n", " ").splitlines():
            words = [*dropwhile(lambda word: "=" in word, shlex.split(line, comments=True))]
            if not words or words[0] in (*SHELL, "export") or words[1] in SERVERS:
                continue
            self.ran += 1
            if words[0] == "curl":
                self._requests(words)
                continue
            assert words[0] == "umbra", line
            self._commands([*self._shown(words)], refused)

    def _shown(self, words: list[str]) -> Iterator[str]:
        """Iterate the words with the id that was printed for the one shown, and few questions."""
        for before, word in pairwise(["", *words]):
            yield self._made if word == "1f3a9c20" else "3" if before == "--count" else word

    def _commands(self, words: list[str], refused: str | None) -> None:
        with shortened():
            code = main(words[1 : words.index(">") if ">" in words else None])
        printed, errors = self._capsys.readouterr()
        if ">" in words:
            Path(words[-1]).write_text(printed, encoding="utf-8")
        if refused is not None:
            assert (code, errors) == (2, refused)
            return
        assert code == 0, (words, errors)
        if words[1:3] == ["keys", "create"]:
            self._made = re.findall(r"^key: id (\w+)$", printed, re.MULTILINE)[0]

    def _requests(self, words: list[str]) -> None:
        """Send what curl would send; -G puts the data into the address."""
        address = next(word for word in words if word.startswith("http"))
        assert address.startswith(ADDRESS)
        headers = dict(words[n + 1].split(": ") for n, word in enumerate(words) if word == "-H")
        data = [words[n + 1] for n, word in enumerate(words) if word in ("-d", "--data-urlencode")]
        if "-G" in words:
            params = dict(one.split("=", 1) for one in data)
            response = self._client.get(address, params=params, headers=headers)
        elif data:
            response = self._client.post(address, content=data[0].encode(), headers=headers)
        else:
            response = self._client.get(address, headers=headers)
        assert response.status_code in (200, 202), response.text

    def runs(self, text: str, page: str) -> None:
        """Run code; a client of the service speaks with the server of the test."""
        own = text.replace(f'Client("{ADDRESS}")', f'Client("{ADDRESS}", client=server)')
        self._names["server"] = self._client
        exec(compile(own, f"{page}.md", "exec"), self._names)  # noqa: S102
        self._capsys.readouterr()
        self.ran += 1


@pytest.mark.timeout(600)
@pytest.mark.parametrize("guide", HERE)
def test_a_guide_runs_as_it_is_written(
    place: Path, made: Workspace, capsys: pytest.CaptureFixture[str], guide: str
) -> None:
    assert place.is_dir()
    with (
        Engine(made) as engine,
        TestClient(create_app(engine), base_url=ADDRESS) as client,
    ):
        reader = Reader(client, capsys)
        reader.follows(guide)
    assert reader.ran or guide in ("agents", "reconcile")  # they only start servers


@pytest.mark.timeout(600)
@pytest.mark.parametrize("guide", OWN)
def test_a_guide_to_a_graph_of_ones_own_runs(
    own: Path, client: TestClient, capsys: pytest.CaptureFixture[str], guide: str
) -> None:
    assert own.is_dir()
    reader = Reader(client, capsys)
    reader.follows(guide)
    assert reader.ran >= 4


def test_every_guide_is_run_somewhere() -> None:
    shown = {
        guide
        for guide in ("README", *(page.stem for page in DOCS.glob("*.md")))
        if any(block["kind"] in ("sh", "python") for block in steps(guide))
    }
    assert shown == {*HERE, *OWN, *ELSEWHERE, *CODE}
    files = ELSEWHERE | dict.fromkeys(CODE, "tests/meta/test_guides.py")
    for guide, file in files.items():
        assert guide in (DOCS.parent / file).read_text(encoding="utf-8")
    for guide in CODE:
        assert all(block["skip"] for block in steps(guide) if block["kind"] == "sh"), guide
