"""`umbra cypher` in every form, and `umbra queries`, on the run's own engine."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from api.cli.main import main
from kg.backends.bolt import BoltStore
from kg.backends.embedded import EmbeddedLink
from kg.errors import EngineError, QueryTimeoutError
from kg.launcher import LauncherConfig, attach, stop_store
from kg.query_results import arrow_of, graph_of
from kg.store import Table
from tests.conformance.cypher_rules import ENDLESS

Shown = pytest.CaptureFixture[str]
PATH = "MATCH p = (a:A)-[r]->(b) RETURN p, a.x AS x, [r, {n: b}] AS parts, date('2024-01-02') AS d"


@pytest.fixture(scope="module")
def engine_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An engine apart: the graph of a command is dropped here, and others keep theirs."""
    folder = tmp_path_factory.mktemp("cypher") / "graph"
    hold = attach(folder, LauncherConfig(idle_timeout_s=5, heap="512m"))
    yield folder
    hold.close()
    stop_store(folder)


@pytest.fixture
def folder(engine_folder: Path, tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / ".umbra"
    place.mkdir()
    (place / "graph").symlink_to(engine_folder)
    link = EmbeddedLink(engine_folder, database="kg")
    with BoltStore(link) as store:
        store.execute("CREATE (:A {x: 1, _own: 2})-[:T {y: 2.5}]->(:B), (:A {x: 2})")
        yield place
        link.drop()


def run(capsys: Shown, folder: Path, *arguments: object) -> tuple[int, str, str]:
    code = main([*map(str, arguments), "--folder", str(folder)])
    return code, *capsys.readouterr()


def test_a_result_as_json_and_as_a_graph(folder: Path, capsys: Shown) -> None:
    code, out, _ = run(capsys, folder, "cypher", PATH, "--format", "json")
    assert code == 0
    assert json.loads(out)["rows"][0][1:] == [
        1, [{"_type": "T", "y": 2.5}, {"n": {"_labels": ["B"]}}], "2024-01-02",
    ]  # fmt: skip
    code, out, _ = run(capsys, folder, "cypher", PATH, "--format", "graph")
    graph = json.loads(out)
    (one, other), (edge,) = graph["nodes"], graph["edges"]
    assert (one["labels"], one["properties"], other["labels"]) == (["A"], {"x": 1}, ["B"])
    assert edge == {
        "id": edge["id"], "type": "T", "head": one["id"], "tail": other["id"],
        "properties": {"y": 2.5},
    }  # fmt: skip


def test_a_result_as_arrow(folder: Path, tmp_path: Path, capsys: Shown) -> None:
    target = tmp_path / "rows.arrow"
    run(capsys, folder, "cypher", PATH, "--format", "arrow", "--output", target)
    with pa.ipc.open_file(target) as reader:
        table = reader.read_all()
    assert table.column_names == ["p", "x", "parts", "d"]
    assert table.column("x").to_pylist() == [1]
    assert table.schema.field("x").type == pa.int64()
    assert table.schema.field("p").metadata == {b"form": b"json"}
    assert json.loads(table.column("p")[0].as_py())["edges"] == [{"_type": "T", "y": 2.5}]


@pytest.mark.parametrize(
    "arguments", [("--format", "arrow"), ("--output", "x"), ("--format", "table", "--output", "x")]
)
def test_forms_that_do_not_go_together_are_refused(
    folder: Path, capsys: Shown, arguments: tuple[str, ...]
) -> None:
    code, out, told = run(capsys, folder, "cypher", "RETURN 1", *arguments)
    assert (code, out) == (2, "")
    assert "--output" in told
    assert [path.name for path in folder.iterdir()] == ["graph"]


def test_what_arrow_has_no_type_for_is_json() -> None:
    columns = {
        "number": [1, None], "text": ["a", "b"], "list": [[1], []], "truth": [True, None],
        "mixed": [1, "a"], "whole or not": [1, 1.5], "map": [{"a": 1}, None], "uneven": [[1], 2],
    }  # fmt: skip
    table = arrow_of(Table(columns=tuple(columns), rows=tuple(zip(*columns.values(), strict=True))))
    as_json = [name for name in columns if table.schema.field(name).metadata]
    assert as_json == ["mixed", "whole or not", "map", "uneven"]
    for name in as_json:
        found = [None if text is None else json.loads(text) for text in table[name].to_pylist()]
        assert found == columns[name]
    for name in columns.keys() - set(as_json):
        assert table[name].to_pylist() == columns[name]
    assert arrow_of(Table(columns=("x",), rows=())).num_rows == 0
    assert graph_of(Table(columns=("x",), rows=((1,),))) == {"nodes": [], "edges": []}


def test_a_running_query_is_listed_and_ended(
    folder: Path, engine_folder: Path, capsys: Shown
) -> None:
    failed: list[EngineError] = []

    def endless() -> None:
        with BoltStore(EmbeddedLink(engine_folder, database="kg")) as store:
            try:
                store.query(ENDLESS, timeout_s=60)
            except EngineError as error:
                failed.append(error)

    caller = threading.Thread(target=endless)
    caller.start()
    found: list[dict[str, object]] = []
    end = time.monotonic() + 30
    while not found and time.monotonic() < end:
        _, out, _ = run(capsys, folder, "queries", "list", "--json")
        found = [query for query in json.loads(out) if ENDLESS in query["text"]]
    assert found[0]["user"] == "reader"
    _, out, _ = run(capsys, folder, "queries", "list")
    assert ENDLESS in out
    assert "umbra:" not in out
    assert run(capsys, folder, "queries", "end", found[0]["id"])[0] == 0
    caller.join(timeout=30)
    assert [type(error) for error in failed] == [QueryTimeoutError]


@pytest.mark.parametrize("query", ["no-such-query", "a b; shutdown"])
def test_a_query_that_does_not_run_is_named(folder: Path, capsys: Shown, query: str) -> None:
    code, out, told = run(capsys, folder, "queries", "end", query)
    assert (code, out) == (2, "")
    assert query in told


def test_listing_starts_no_store(tmp_path: Path, capsys: Shown) -> None:
    (tmp_path / ".umbra").mkdir()
    code, out, _ = run(capsys, tmp_path / ".umbra", "queries", "list", "--json")
    assert (code, json.loads(out)) == (0, [])
    assert list((tmp_path / ".umbra").iterdir()) == []
