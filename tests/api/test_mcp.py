"""An agent's session: the official client, over the standard streams and in this process."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult, TextContent

from api.cli.main import main, make_parser
from api.mcp_server import MAX_CHARS, graph_tools
from api.settings import Settings
from api.workspace import Workspace
from docs.generate import commands
from kg.model import EntityKey
from tests.api.world import WorldEngine, open_world

REPOSITORY = Path(__file__).parents[2]
TOOLS = {
    "schema", "search", "entity", "neighbours", "ask", "cypher", "link_text",
    "read_question", "suggest", "context",
}  # fmt: skip
ARABIC = "MATCH (c:Country)-[:speaks]->(:Language {key: 'language:ara'}) RETURN c"

Session = Callable[[Client], Coroutine[Any, Any, None]]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> WorldEngine:
    settings = Settings(text_encoder="tiny")
    return open_world(tmp_path_factory.mktemp("agent") / ".umbra", settings=settings)


def holding(server: Any, session: Session) -> None:
    """Hold a session with a server."""

    async def held() -> None:
        async with Client(server) as client:
            await session(client)

    anyio.run(held)


def text_of(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


def test_a_session_over_the_standard_streams(stored: Workspace) -> None:
    command = ["-m", "api.cli.main", "mcp", "--folder", str(stored.folder)]
    server = StdioServerParameters(command=sys.executable, args=command, cwd=str(REPOSITORY))

    async def session(client: Client) -> None:
        tools = (await client.list_tools()).tools
        assert {tool.name for tool in tools} == TOOLS
        for tool in tools:
            assert tool.description
            assert tool.annotations is not None
            assert tool.annotations.read_only_hint
        found = await client.call_tool("search", {"text": "turkey", "k": 2})
        assert found.structured_content is not None
        key = found.structured_content["hits"][0]["key"]
        assert key == "country:TR"
        assert json.loads(text_of(found)) == found.structured_content
        walked = await client.call_tool("neighbours", {"key": key, "relation": "borders"})
        assert walked.structured_content is not None
        assert {e["relation"] for e in walked.structured_content["edges"]} == {"borders"}
        counted = await client.call_tool("cypher", {"query": "MATCH (c:Country) RETURN count(c)"})
        assert counted.structured_content is not None
        assert counted.structured_content["rows"][0][0] > 10
        refused = await client.call_tool("cypher", {"query": "MATCH (n) DETACH DELETE n"})
        assert refused.is_error
        assert text_of(refused).find("read-only") >= 0

    holding(server, session)


def test_the_help_of_the_command_names_the_tools() -> None:
    told = next(parser for name, parser in commands(make_parser()) if name == "mcp").format_help()
    assert set(re.findall(r"\w+", told)) >= TOOLS | {"decide_fact"}


def test_answers_are_those_of_the_engine(engine: WorldEngine) -> None:
    async def session(client: Client) -> None:
        asked = await client.call_tool("ask", {"query": ARABIC, "proofs": True, "k": 3})
        expected = engine.ask(ARABIC, k=3, proofs=True).model_dump(mode="json")
        assert asked.structured_content == {**expected, "left_out": 0}
        read = await client.call_tool("entity", {"key": "country:TR"})
        shown = engine.entity("country:TR", limit=20).model_dump(mode="json")
        assert read.structured_content == {**shown, "left_out": 0}
        told = await client.call_tool("schema", {})
        assert told.structured_content is not None
        assert told.structured_content["labels"]["Language"] == 1

    holding(graph_tools(engine), session)


@pytest.mark.parametrize(
    ("tool", "arguments", "size", "rows"),
    [
        ("ask", {"query": "MATCH (c:Country) RETURN c"}, "k", "answers"),
        ("search", {"text": "republic"}, "k", "hits"),
        ("neighbours", {"key": "country:TR"}, "limit", "edges"),
    ],
)
def test_pages_join_to_the_whole(
    engine: WorldEngine, tool: str, arguments: dict[str, Any], size: str, rows: str
) -> None:
    async def session(client: Client) -> None:
        whole = await client.call_tool(tool, {**arguments, size: 100})
        assert whole.structured_content is not None
        read, after, pages = list[Any](), None, 0
        while pages == 0 or after is not None:
            page = await client.call_tool(tool, {**arguments, size: 4, "after": after})
            assert page.structured_content is not None
            read += page.structured_content[rows]
            after, pages = page.structured_content["next"], pages + 1
        assert pages > 1
        assert len(read) == len(whole.structured_content[rows])
        assert sorted(map(json.dumps, read)) == sorted(
            map(json.dumps, whole.structured_content[rows])
        )

    holding(graph_tools(engine), session)


def test_a_suggestion_is_followed_to_as_many_hits_as_it_says(engine: WorldEngine) -> None:
    async def session(client: Client) -> None:
        told = await client.call_tool("suggest", {"text": "republic", "limit": 3})
        assert told.structured_content is not None
        first = told.structured_content["suggestions"][0]
        asked = {"text": "republic", "within": first["query"], "k": 100}
        found = await client.call_tool("search", asked)
        assert found.structured_content is not None
        shown = len(found.structured_content["hits"]) + found.structured_content["left_out"]
        assert shown == first["results"]

    holding(graph_tools(engine), session)


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("entity", {"key": "country:XX"}, "unknown-entity"),
        ("ask", {"query": "MATCH ("}, "query-syntax"),
        ("ask", {"query": "MATCH (c)-[:bordrs]->(d) RETURN c"}, "borders"),
        ("search", {"text": " "}, "input-error"),
        ("link_text", {"text": "Turkey"}, "no linker is trained"),
        ("cypher", {"query": "RETURN 1"}, "Cypher"),
        ("search", {"text": "x", "k": 10_000}, "100"),
        ("neighbours", {}, "key"),
    ],
)
def test_what_is_wrong_can_be_read_and_mended(
    engine: WorldEngine, tool: str, arguments: dict[str, Any], said: str
) -> None:
    async def session(client: Client) -> None:
        result = await client.call_tool(tool, arguments)
        assert result.is_error
        assert said in text_of(result)

    holding(graph_tools(engine), session)


def test_an_agent_that_may_write_decides_under_its_name(tmp_path: Path) -> None:
    edge = {"head": "Greece", "relation": "borders", "tail": "country:GE"}

    async def session(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == TOOLS | {"decide_fact"}
        assert tools["decide_fact"].annotations is not None
        assert not tools["decide_fact"].annotations.read_only_hint
        made = await client.call_tool("decide_fact", {**edge, "verdict": "accept"})
        assert made.structured_content is not None
        assert made.structured_content["who"] == "ada's agent"
        wrong = await client.call_tool("decide_fact", {**edge, "head": "Xx", "verdict": "accept"})
        assert wrong.is_error
        assert "unknown-entity" in text_of(wrong)

    with open_world(tmp_path / ".umbra") as engine:
        holding(graph_tools(engine, writes_as="ada's agent"), session)
        (held,) = engine.store.edges(
            head=EntityKey("country:GR"), relation="borders", tail=EntityKey("country:GE")
        )
        assert [record.source for record in held.provenance] == ["ada's agent"]


class WordyEngine(WorldEngine):
    """An engine whose tables are long."""

    def cypher(self, *_text: Any, **_limits: Any) -> Any:
        from api.schemas import TableOut

        return TableOut(columns=("text",), rows=tuple((f"{n} " + "x" * 1000,) for n in range(90)))


def test_a_long_answer_is_cut_and_says_so(tmp_path: Path) -> None:
    async def session(client: Client) -> None:
        found = await client.call_tool("cypher", {"query": "RETURN 1"})
        assert found.structured_content is not None
        rows, left_out = (found.structured_content[name] for name in ("rows", "left_out"))
        assert [row[0].split()[0] for row in rows] == [str(n) for n in range(len(rows))]
        assert len(rows) + left_out == 90
        assert left_out > 0
        assert len(json.dumps(found.structured_content)) <= MAX_CHARS + 100

    with WordyEngine(Workspace(tmp_path)) as wordy:
        holding(graph_tools(wordy), session)


def test_without_a_graph_the_command_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mcp", "--folder", str(tmp_path / "nowhere")]) == 3
    assert "umbra demo" in capsys.readouterr().err
    assert not (tmp_path / "nowhere").exists()
