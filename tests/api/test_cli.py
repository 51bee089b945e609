"""The command line as a user meets it: exit codes, one line for each error, JSON, estimates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from api.workspace import Workspace
from tests.api.command_line import Shown, parsed, refused, umbra
from tests.api.tiny_world import started


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The working folder comes by option only."""
    monkeypatch.delenv("UMBRA_FOLDER", raising=False)


WRITING = [
    "CREATE (n:Country {key: 'x'})",
    "MERGE (n:Country {key: 'x'}) RETURN n",
    "MATCH (n) SET n.name = 'x' RETURN n",
    "MATCH (n) DELETE n",
    "MATCH (n) DETACH DELETE n",
    "MATCH (n) REMOVE n.name RETURN n",
    "MATCH (n) FOREACH (m IN [n] | SET m.name = 'x')",
    "MATCH (n) RETURN n UNION CREATE (m) RETURN m AS n",
    "MATCH (n) CALL { WITH n SET n.x = 1 RETURN n AS m } RETURN m",
    r"MATCH (n) \u0053ET n.name = 'x' RETURN n",
]
FILES_AND_ADMINISTRATION = [
    "LOAD CSV FROM 'file:///etc/passwd' AS row RETURN row",
    "LOAD CSV FROM 'http://127.0.0.1/x' AS row RETURN row",
    "CALL dbms.listConfig()",
    "CALL apoc.load.json('file:///etc/passwd')",
    "SHOW USERS",
    "CREATE USER eve SET PASSWORD 'eve'",
    "DROP INDEX entity_key",
    "CREATE INDEX FOR (n:Country) ON (n.name)",
]
MALFORMED = [
    "MATCH (n) RETURN n; MATCH (m) RETURN m",
    "MATCH (n RETURN n",
    "MATCH (n) RETURN )",
    "MATCH (n) RETURN 'open",
    "RETURN",
    "",
    "SELECT * FROM Country",
    "MATCH (n) RETURN n\x00",
]


@pytest.mark.parametrize("text", [*WRITING, *FILES_AND_ADMINISTRATION, *MALFORMED])
def test_cypher_that_may_not_run_is_refused_in_one_line(
    tiny_demo: Workspace, capsys: Shown, text: str
) -> None:
    line = refused(capsys, 2, "cypher", text, "--folder", tiny_demo.folder)
    assert "did not foresee" not in line


def test_refused_cypher_changed_nothing(tiny_demo: Workspace, capsys: Shown) -> None:
    folder = ("--folder", tiny_demo.folder)
    before = parsed(capsys, "info", *folder)
    for text in (*WRITING, *FILES_AND_ADMINISTRATION, *MALFORMED):
        umbra(capsys, "cypher", text, *folder)
    assert parsed(capsys, "info", *folder) == before


def test_refused_cypher_starts_no_store(tmp_path: Path, capsys: Shown) -> None:
    refused(capsys, 2, "cypher", "MATCH (n) DETACH DELETE n", "--folder", tmp_path / ".umbra")
    assert not (tmp_path / ".umbra" / "graph" / "endpoint.json").exists()


@pytest.mark.parametrize(
    ("question", "place"),
    [
        ("MATCH (c:Country)-[:sails_to]->(d:Country {name: 'Chad'}) RETURN c", "sails_to"),
        ("MATCH (c) WHERE NOT (c)-[:speaks]->(:Language {name: 'Arabic'}) RETURN c", "line 1"),
        ("MATCH (c:Country) RETURN count(*)", "line 1"),
        ("MATCH (c:Country)-[:borders*1..3]->(d {key: 'country:TR'}) RETURN c", "line 1"),
        ("MATCH (c:Country)\n  -[:borders]->(d RETURN c", "line 2"),
        ("MATCH (c:Country) DETACH DELETE c", "line 1, column 19"),
        ("Which countries border Chad?", "English is read by `umbra ask --plain`"),
        ('{"relation": "borders"', "line"),
        ('{"no": "tree"}', ""),
        ("[]", ""),
        ("", ""),
    ],
)
def test_questions_that_cannot_be_answered_say_where(
    tiny_demo: Workspace, capsys: Shown, question: str, place: str
) -> None:
    line = refused(capsys, 2, "ask", question, "--folder", tiny_demo.folder)
    assert place in line


def test_an_attribute_that_nothing_has_is_told(tiny_demo: Workspace, capsys: Shown) -> None:
    for asked in ("RETURN c", "MATCH (c)-[:borders]->(d) RETURN c, d"):
        question = f"MATCH (c:Country) WHERE c.area_kn2 > 1 AND c.name <> 'x' {asked}"
        code, _, err = umbra(capsys, "ask", question, "--folder", tiny_demo.folder)
        assert code == 0
        warnings = [line for line in err.splitlines() if "attribute" in line]
        assert warnings == [
            "warning: no entity has the attribute 'area_kn2'; did you mean 'area_km2'?"
        ]
    held = "MATCH (c:Country) WHERE c.area_km2 > 1 RETURN c"
    assert "attribute" not in umbra(capsys, "ask", held, "--folder", tiny_demo.folder)[2]


def test_an_unknown_name_comes_with_the_nearest(tiny_demo: Workspace, capsys: Shown) -> None:
    question = "MATCH (c)-[:border]->(:Country {key: 'country:TR'}) RETURN c"
    assert "'borders'" in refused(capsys, 2, "ask", question, "--folder", tiny_demo.folder)


@pytest.mark.parametrize(
    "arguments",
    [
        ("cypher", "RETURN 1", "--parameters", "[1]"),
        ("cypher", "RETURN 1", "--parameters", "{"),
        ("cypher", "RETURN 1", "--max-rows", "-1"),
        ("cypher", "RETURN 1", "--timeout-s", "-1"),
        ("cypher", "RETURN 1", "--timeout-s", "nan"),
        ("ask", "MATCH (c)-[:borders]->({key: 'country:TR'}) RETURN c", "--k", "0"),
        ("ask", "MATCH (c)-[:borders]->({key: 'country:TR'}) RETURN c", "--k", "-3"),
        ("train", "--seed", "-1"),
        ("link", "run", "no-such-file.jsonl"),
        ("link", "run", "no-such-file.jsonl", "--map", "surface"),
        ("build", "no-such-mapping.toml"),
        ("build", "no-such-mapping.toml", "--estimate"),
        ("link", "run", "no-such-file.jsonl", "--estimate"),
        ("scenes", "run", "--descriptions", "no-such-file.jsonl"),
    ],
    ids=" ".join,
)
def test_wrong_options_are_named_in_one_line(
    tiny_demo: Workspace, capsys: Shown, arguments: tuple[str, ...]
) -> None:
    refused(capsys, 2, *arguments, "--folder", tiny_demo.folder)


@pytest.mark.parametrize("snapshot", ["never-made", "../full", "/etc"])
def test_a_snapshot_that_is_not_there_is_named(
    tiny_demo: Workspace, capsys: Shown, snapshot: str
) -> None:
    question = "MATCH (c)-[:borders]->({key: 'country:TR'}) RETURN c"
    code, out, line = umbra(
        capsys, "ask", question, "--snapshot", snapshot, "--folder", tiny_demo.folder
    )
    assert code in (2, 3)
    assert (out, line.count("\n")) == ("", 1)


def test_ask_cypher_and_info_print_json(tiny_demo: Workspace, capsys: Shown) -> None:
    folder = ("--folder", tiny_demo.folder)
    question = "MATCH (c:Country)-[:borders]->(:Country {name: 'Kazakhstan'}) RETURN c"
    known = [
        answer["key"]
        for answer in parsed(capsys, "ask", question, *folder)["answers"]
        if answer["status"] == "known"
    ]
    table = parsed(capsys, "cypher", question.replace("RETURN c", "RETURN c.key AS key"), *folder)
    assert table["columns"] == ["key"]
    assert {row[0] for row in table["rows"]} >= set(known)
    assert known
    assert parsed(capsys, "info", *folder)["store"]["entities"]["Country"] == 12


def test_results_go_to_stdout_and_the_text_names_the_answers(
    tiny_demo: Workspace, capsys: Shown
) -> None:
    question = "MATCH (c:Country)-[:borders]->(:Country {name: 'Kazakhstan'}) RETURN c"
    code, out, _ = umbra(capsys, "ask", question, "--folder", tiny_demo.folder)
    assert code == 0
    assert "Known (" in out
    assert "Uzbekistan" in out


def test_estimates_name_the_cost_and_write_nothing(
    tiny_demo: Workspace, tiny_data: Path, capsys: Shown, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    before = _files(tiny_demo.folder)
    for arguments in (
        ("build", tiny_data / "graph.toml"),
        ("link", "run", tiny_data / "list_mentions.jsonl.gz"),
        ("scenes", "run"),
        ("train",),
        ("train", "--model", "cone", "--model", "rough"),
    ):
        found = parsed(capsys, *arguments, "--estimate", "--folder", tiny_demo.folder)
        assert found["rows"] > 0, arguments
        assert found["seconds"] >= 0
        assert found["peak_memory_mb"] > 0
        assert found.get("linker", "network") == "network"
    assert _files(tiny_demo.folder) == before
    assert list(tmp_path.iterdir()) == []


def test_an_estimate_of_a_build_makes_no_folder(
    tiny_data: Path, capsys: Shown, tmp_path: Path
) -> None:
    folder = tmp_path / ".umbra"
    parsed(capsys, "build", tiny_data / "graph.toml", "--estimate", "--folder", folder)
    assert not folder.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("info",),
        ("train", "--estimate"),
        ("scenes", "run", "--estimate"),
        ("ask", "MATCH (c)-[:borders]->({key: 'country:TR'}) RETURN c"),
        ("cypher", "MATCH (n) RETURN n"),
        ("train",),
        ("scenes", "run"),
    ],
    ids=" ".join,
)
def test_without_a_graph_a_command_says_so_and_makes_nothing(
    capsys: Shown, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    line = refused(capsys, 3, *arguments, "--folder", tmp_path / ".umbra")
    assert "Next: " in line
    assert list(tmp_path.iterdir()) == []


def test_the_doctor_finds_all_well(tiny_demo: Workspace, capsys: Shown) -> None:
    checks = parsed(capsys, "doctor", "--folder", tiny_demo.folder)
    assert {check["name"] for check in checks} >= {"Python", "torch", "store", "snapshot", "disk"}
    assert all(check["ok"] for check in checks)


def test_the_doctor_tells_what_is_wrong(capsys: Shown, tmp_path: Path) -> None:
    folder = tmp_path / ".umbra"
    folder.mkdir()
    (folder / "graph").write_text("not a store")
    code, out, _ = umbra(capsys, "doctor", "--folder", folder, "--json")
    failed = [check for check in json.loads(out) if not check["ok"]]
    assert code == 1
    assert [check["name"] for check in failed] == ["store"]
    assert failed[0]["hint"]
    assert (folder / "graph").read_text() == "not a store"


def test_the_command_as_a_process(tiny_demo: Workspace) -> None:
    """The same by a real process: exit code, one line, and a reader that goes away is no error."""
    folder = str(tiny_demo.folder)
    with started("cypher", "MATCH (n) DETACH DELETE n", "--folder", folder) as process:
        out, line = process.communicate(timeout=60)
    assert (process.returncode, out, line.count("\n")) == (2, "", 1)
    endless = ("cypher", "UNWIND range(1, 9000) AS n RETURN n", "--folder", folder)
    with started(*endless) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().strip() == "n"
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


def _files(folder: Path) -> dict[str, int]:
    """Return when each file was written; the store's own files change while it runs."""
    return {
        str(path.relative_to(folder)): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file() and "graph" not in path.relative_to(folder).parts
    }
