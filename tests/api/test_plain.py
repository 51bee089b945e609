"""Questions in plain language through every door: shown as a query, and only then asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from api.app import create_app
from api.cli.main import main
from api.plain.models import DirectoryModel, EndpointModel, prompt_of
from api.plain.schemas import PlainOut
from api.settings import Settings
from api.workspace import Workspace
from kg.errors import (
    InputError,
    MissingPartError,
    QuerySyntaxError,
    SettingError,
    UnknownRelationError,
    UnsupportedQueryError,
)
from tests.api.conftest import ADDRESS
from tests.api.test_guard import problem
from tests.api.world import WorldEngine, open_world

QUESTION = "Which countries border Turkey but do not speak Arabic?"
CYPHER = (
    "MATCH (c:Country)-[:borders]->(:Country {name: 'Turkey'}) "
    "WHERE NOT (c)-[:speaks]->(:Language {name: 'Arabic'}) RETURN c"
)


class Endpoint(BaseHTTPRequestHandler):
    """Answers as `reply` says, and keeps what it was sent."""

    reply: ClassVar[tuple[int, bytes]] = (200, b"")
    seen: ClassVar[list[tuple[str, str | None, dict[str, Any]]]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.seen.append((self.path, self.headers.get("Authorization"), body))
        status, content = self.reply
        self.send_response(status)
        if status == 307:
            self.send_header("Location", "http://127.0.0.1:1/v1/chat/completions")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def says(text: str) -> tuple[int, bytes]:
    return 200, json.dumps({"choices": [{"message": {"content": text}}]}).encode()


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Endpoint) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, endpoint: str) -> Iterator[WorldEngine]:
    settings = Settings(
        text_encoder="tiny", plain_endpoint=endpoint, plain_key=SecretStr("the-key"),
        plain_model="small",
    )  # fmt: skip
    with open_world(tmp_path_factory.mktemp("plain") / ".umbra", settings=settings) as engine:
        yield engine


def keys(engine: WorldEngine, found: PlainOut) -> set[str]:
    assert engine.read(found.query) is not None
    by_text = {answer.key for answer in engine.ask(found.query, proofs=False).answers}
    assert by_text == {answer.key for answer in engine.ask(found.tree, proofs=False).answers}
    return by_text


def test_rules_read_and_ask_nothing(engine: WorldEngine) -> None:
    found = engine.plain(QUESTION)
    assert [(one.words, one.relation) for one in found.heard] == [
        ("border", "borders"), ("do not speak", "speaks"),
    ]  # fmt: skip
    assert keys(engine, found) == {"country:GR", "country:BG", "country:GE"}
    assert engine.plain("Which countries border the Republic of Turkey?").heard
    with pytest.raises(QuerySyntaxError, match="column"):
        engine.plain("Which countries border Atlantis?")


def test_an_endpoint_s_text_is_read_as_the_fragment(engine: WorldEngine) -> None:
    for text in (CYPHER, f"Sure!\n```cypher\n{CYPHER}\n```\nThat lists them."):
        Endpoint.reply = says(text)
        found = engine.plain(QUESTION, by="endpoint")
        assert keys(engine, found) == {"country:GR", "country:BG", "country:GE"}
    path, key, body = Endpoint.seen[-1]
    assert (path, key, body["model"]) == ("/v1/chat/completions", "Bearer the-key", "small")
    prompt = body["messages"][0]["content"]
    assert QUESTION in prompt
    assert "(:Country)-[:borders]->(:Country)" in prompt


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("MATCH (n) DETACH DELETE n", UnsupportedQueryError, "DETACH DELETE"),
        ("I do not know.", QuerySyntaxError, "I do not know."),
        (CYPHER.replace("borders", "adores"), UnknownRelationError, "adores"),
    ],
)
def test_what_is_no_query_is_refused_with_its_place(
    engine: WorldEngine, text: str, error: type[Exception], said: str
) -> None:
    Endpoint.reply = says(text)
    with pytest.raises(error, match=said) as refused:
        engine.plain(QUESTION, by="endpoint")
    if error is not UnknownRelationError:
        assert getattr(refused.value, "position", None) is not None


@pytest.mark.parametrize(
    "reply",
    [
        (500, b""),
        (307, b""),
        (200, b"{"),
        (200, b"[]"),
        (200, b"[" * 90_000),
        (200, b"x" * 200_000),
    ],
)
def test_an_endpoint_that_fails_is_named_and_followed_nowhere(
    engine: WorldEngine, reply: tuple[int, bytes]
) -> None:
    Endpoint.reply = reply
    with pytest.raises(MissingPartError) as refused:
        engine.plain(QUESTION, by="endpoint")
    assert "the-key" not in str(refused.value)


def test_only_what_the_settings_name_is_asked(tmp_path: Path) -> None:
    with open_world(tmp_path / ".umbra", settings=Settings(text_encoder="tiny")) as engine:
        for by in ("endpoint", "directory"):
            with pytest.raises(InputError, match="is set"):
                engine.plain(QUESTION, by=by)  # type: ignore[arg-type]
    for address in ("file:///etc/passwd", "ftp://x/v1", "http://user:secret@127.0.0.1/v1", "x"):
        with pytest.raises(SettingError) as refused:
            EndpointModel.of(Settings(plain_endpoint=address))
        assert "secret" not in str(refused.value)
    with pytest.raises(MissingPartError, match="does not answer"):
        EndpointModel("http://127.0.0.1:1/v1", "x", timeout_s=1).written("x")
    with pytest.raises(MissingPartError, match="no language model"):
        DirectoryModel(tmp_path)


def test_a_local_directory_writes_and_is_read_the_same_way(
    engine: WorldEngine, tmp_path: Path
) -> None:
    model = DirectoryModel(tiny_model(tmp_path))
    written = model.written(prompt_of(engine.plain.lexicon(), QUESTION))
    assert written == model.written(prompt_of(engine.plain.lexicon(), QUESTION))
    settings = Settings(text_encoder="tiny", plain_directory=tmp_path)
    with (
        open_world(tmp_path / ".umbra", settings=settings) as other,
        pytest.raises(QuerySyntaxError, match="the model wrote"),
    ):
        other.plain(QUESTION, by="directory")


def tiny_model(folder: Path) -> Path:
    """Make a language model of random weights: what it writes is no query."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    torch.manual_seed(0)
    vocabulary = {token: n for n, token in enumerate(("<unk>", "</s>", "MATCH", "which", "of"))}
    special = {"unk_token": "<unk>", "eos_token": "</s>", "pad_token": "</s>"}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=special["unk_token"]))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special)
    fast.save_pretrained(folder)
    size = {"n_embd": 8, "n_layer": 1, "n_head": 1, "n_positions": 1024, "vocab_size": 5}
    GPT2LMHeadModel(GPT2Config(**size, eos_token_id=1, bos_token_id=1)).save_pretrained(folder)
    return folder


def test_rest_reads_and_the_command_shows_before_it_asks(
    engine: WorldEngine, stored: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    with TestClient(create_app(engine), base_url=ADDRESS) as client:
        found = PlainOut.model_validate(
            client.post("/v1/plain", json={"question": QUESTION}).json()
        )
        assert found == engine.plain(QUESTION)
        asked = client.post("/v1/query", json={"query": found.query}).json()
        assert {one["key"] for one in asked["answers"]} == keys(engine, found)
        wrong = client.post("/v1/plain", json={"question": "Why is the sky blue?"})
        problem(wrong, "query-syntax", 400)
    place = ["--folder", str(stored.folder)]
    assert main(["ask", "--plain", QUESTION, "--show", "--json", *place]) == 0
    assert PlainOut.model_validate_json(capsys.readouterr().out).query == found.query
    assert main(["ask", "--plain", QUESTION, "--answerer", "exact", *place]) == 0
    printed = capsys.readouterr()
    assert printed.err.startswith(found.query)
    assert "Greece" in printed.out
    assert main(["ask", "--plain", "Why?", *place]) == 2
    assert main(["ask", "x", "--show", *place]) == 2
