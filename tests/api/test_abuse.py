"""A server under abuse stays up and answers others: slow, huge, many, and hostile requests."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import logging
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.testclient import TestClient

from api import connections, guard
from api.app import create_app
from api.guard import GuardConfig
from api.workspace import Workspace
from kg.images import ImageFolder
from tests.api.conftest import ADDRESS
from tests.api.test_guard import problem
from tests.api.test_serve import serving
from tests.api.world import make_world, open_world
from tests.kg.test_images import bomb

HEAD = b"POST /v1/query HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
TWO_GIGABYTES = 2 * 2**30


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return make_world(tmp_path_factory.mktemp("abused") / ".umbra")


@pytest.fixture(scope="module")
def server(workspace: Workspace) -> Iterator[httpx.Client]:
    with serving(workspace) as (client, _):
        yield client


@pytest.fixture(autouse=True)
def others_are_answered(server: httpx.Client) -> Iterator[None]:
    """After every test, and whatever is still open, the server answers somebody else."""
    yield
    assert server.get("/healthz").json() == {"status": "ok"}


@contextmanager
def line_to(server: httpx.Client) -> Iterator[socket.socket]:
    port = server.base_url.port
    assert port is not None
    with closing(socket.create_connection((server.base_url.host, port), timeout=30)) as line:
        yield line


def answer_to(server: httpx.Client, *pieces: bytes) -> bytes:
    """Send bytes as they are and return the beginning of what comes back."""
    with line_to(server) as line:
        try:
            for piece in pieces:
                line.sendall(piece)
            return line.recv(65_536)
        except (BrokenPipeError, ConnectionResetError):
            return b""


def test_a_gigabyte_is_refused_before_it_is_sent(server: httpx.Client) -> None:
    head = HEAD + f"Content-Length: {TWO_GIGABYTES}\r\n\r\n".encode()
    assert answer_to(server, head).startswith(b"HTTP/1.1 413")


def test_a_body_without_a_length_is_cut_at_the_limit(server: httpx.Client) -> None:
    chunk = b"100000\r\n" + b"x" * 2**20 + b"\r\n"
    sent = 0
    with line_to(server) as line, suppress(BrokenPipeError, ConnectionResetError):
        line.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        while sent < 1024:  # a gigabyte
            line.sendall(chunk)
            sent += 1
    assert sent < 100


def test_a_compressed_body_is_never_unpacked(server: httpx.Client) -> None:
    bomb = gzip.compress(b"[" * 10_000_000)
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    refused = server.post("/v1/query", content=bomb, headers=headers)
    assert refused.status_code in (400, 422)


def test_a_bomb_of_pixels_is_refused_before_it_is_decoded(
    server: httpx.Client, workspace: Workspace
) -> None:
    """No request brings a picture; one that a backup or a copy brought is ten gigapixels."""
    content = bomb(100_000, 100_000)
    sha256 = hashlib.sha256(content).hexdigest()
    file = ImageFolder(workspace.images).path(sha256)
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)
    refused = problem(server.get(f"/v1/images/{sha256}", params={"side": 64}), "image", 422)
    assert "50,000,000 pixels" in refused["detail"]


@pytest.mark.parametrize(("opened", "closed"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("path", ["/v1/query", "/v1/cypher", "/v1/jobs", "/v1/review/decisions"])
def test_deep_json_is_refused(server: httpx.Client, path: str, opened: str, closed: str) -> None:
    deep = opened * 100_000 + "1" + closed * 100_000
    for body in (deep, f'{{"query": {deep}}}', f'{{"parameters": {deep}, "query": "x"}}'):
        refused = server.post(path, content=body, headers={"Content-Type": "application/json"})
        assert 400 <= refused.status_code < 500
        assert refused.headers["content-type"] == "application/problem+json"


HOSTILE = {
    "a folded line": b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\r\n b: c\r\n\r\n",
    "a header without a name": b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n: x\r\n\r\n",
    "a zero byte": b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\x00b\r\n\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /v1/info HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n",
    "two lengths": HEAD + b"Content-Length: 2\r\nContent-Length: 30\r\n\r\n{}",
    "length and chunks": HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a length that is none": HEAD + b"Content-Length: -1\r\n\r\n",
    "a head without end": b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 200_000,
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100,
    "an older tongue": b"GET /healthz\r\n\r\n",
    "bytes beyond ASCII": b"GET /\xff\xfe HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_heads_end_with_a_refusal(server: httpx.Client, name: str) -> None:
    answer = answer_to(server, HOSTILE[name])
    status = answer.split(b" ")[1] if answer else b"closed"
    assert status in (b"400", b"404", b"411", b"413", b"421", b"422", b"431", b"closed") or (
        name in ("a folded line", "length and chunks") and status != b"500"
    ), answer
    assert b"Traceback" not in answer


def test_a_thousand_headers_are_no_failure(server: httpx.Client) -> None:
    many = {f"X-{n}": "x" for n in range(1000)}
    assert server.get("/healthz", headers=many).status_code in (200, 400, 431)


def test_no_header_of_a_response_comes_from_the_request(server: httpx.Client) -> None:
    forged = "x%0d%0aSet-Cookie:%20a=b"
    for path in (f"/v1/entities/{forged}", f"/v1/{forged}", f"/v1/jobs/{forged}?x={forged}"):
        response = server.get(path, headers={"X-Request-Id": "a\tb"})
        assert "set-cookie" not in response.headers
        assert "\t" not in response.headers["x-request-id"]


def test_the_log_has_one_line_a_request_whatever_its_path(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="umbra.http")
    client.get("/v1/a%0d%0aINFO forged line%1b[31m%e2%80%ae")
    (record,) = (r for r in caplog.records if "/v1/a" in r.getMessage())
    assert record.getMessage().isprintable()
    assert record.getMessage().isascii()


def test_slow_clients_shut_nobody_out(server: httpx.Client) -> None:
    """More connections than uvicorn's usual limit of work, each with half a head or half a body."""
    with ExitStack() as stack:
        for n in range(700):
            line = stack.enter_context(line_to(server))
            line.sendall(HEAD if n % 2 else HEAD[:20])
        with line_to(server) as line:
            line.sendall(b"GET /v1/info HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert line.recv(100).startswith(b"HTTP/1.1 200")


def test_ten_thousand_connections_shut_nobody_out(server: httpx.Client) -> None:
    with ExitStack() as stack:
        for _ in range(10_000):
            stack.enter_context(line_to(server)).sendall(b"GET /healthz HTTP/1.1\r\n")
        assert httpx.get(server.base_url.join("/v1/info"), timeout=30).status_code == 200


def test_a_head_or_body_that_does_not_come_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_WITHIN_S", 0.2)
    monkeypatch.setattr(guard, "BODY_WITHIN_S", 0.2)
    half = HEAD + b"Content-Length: 9\r\n\r\n{"

    async def closed_after_a_while() -> None:
        with open_world(tmp_path / ".umbra") as engine:
            app = create_app(engine)
            config = uvicorn.Config(
                app, port=0, log_config=None, http=connections.TimedProtocol, lifespan="off"
            )
            running = uvicorn.Server(config)
            task = asyncio.create_task(running.serve())
            while not running.started:
                await asyncio.sleep(0.01)
            port = running.servers[0].sockets[0].getsockname()[1]
            for sent, told in ((b"", b""), (b"GET / HT", b""), (half, b"HTTP/1.1 400")):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(sent)
                assert await asyncio.wait_for(reader.read(12), 20) == told
                writer.close()
            running.should_exit = True
            await task

    asyncio.run(closed_after_a_while())


def test_requests_beyond_the_limit_are_told_to_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GuardConfig.__init__, "__kwdefaults__", {
        **GuardConfig.__init__.__kwdefaults__, "max_requests": 0,
    })  # fmt: skip
    with (
        open_world(tmp_path / ".umbra") as engine,
        TestClient(create_app(engine), base_url=ADDRESS) as client,
    ):
        busy = client.get("/v1/info")
        assert problem(busy, "busy", 503)["retry_after_seconds"] == 1
        assert busy.headers["retry-after"] == "1"
