"""Pictures that rows name: what is read, and every hostile name that is refused with a reason."""

from __future__ import annotations

import base64
import io
import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest
from PIL import Image

from kg.errors import ImageError, SettingError
from kg.image_fetching import AllowedHosts, FetchLimits, ImageFetcher, is_public
from kg.image_sources import ImageSources


def png(colour: str = "red", size: tuple[int, int] = (30, 20)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


PICTURE = png()


class Handler(BaseHTTPRequestHandler):
    """Answers as the path says; remembers who was asked for."""

    hosts: list[str] = []  # noqa: RUF012 - of all requests, in order
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.hosts.append(self.headers["Host"])
        kind, _, rest = self.path.lstrip("/").partition("/")
        if kind == "to":
            self.answer(302, b"", Location=f"http://{rest}")
        elif kind == "loop":
            self.answer(302, b"", Location=self.path + "x")
        elif kind == "length":
            self.answer(200, b"x", **{"Content-Length": rest})
        elif kind == "packed":
            self.answer(200, b"x", **{"Content-Encoding": "gzip"})
        elif kind == "missing":
            self.answer(404, b"")
        elif kind in ("endless", "drip", "drip-headers"):
            self.without_end(kind)
        else:
            self.answer(200, PICTURE)

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def without_end(self, kind: str) -> None:
        block, nap = (b"x" * 65_536, 0.0) if kind == "endless" else (b"x", 0.05)
        try:
            if kind != "drip-headers":
                self.send_response(200)
                self.end_headers()
            else:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
            while True:
                self.wfile.write(block)
                time.sleep(nap)
        except OSError:
            self.close_connection = True

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join()


NAMES = {"pictures.test": ["127.0.0.1"], "inside.test": ["10.0.0.1"], "evil.test": ["127.0.0.1"]}


def fetcher(port: int, *, total_s: float = 20.0) -> ImageFetcher:
    """A fetcher for which this machine's loopback counts as public, and names are made up."""
    hosts = AllowedHosts([f"pictures.test:{port}", f"inside.test:{port}", f"mixed.test:{port}"])
    limits = FetchLimits(max_bytes=200_000, total_s=total_s)
    names = NAMES | {"mixed.test": ["127.0.0.1", "192.168.0.1"]}
    return ImageFetcher(
        hosts,
        limits=limits,
        resolve=lambda host, _port: names[host],
        permit=lambda address: address == "127.0.0.1",
    )


def test_a_picture_is_fetched_from_an_allowed_host_also_after_a_redirect(port: int) -> None:
    Handler.hosts.clear()
    url = f"http://Pictures.test:{port}/a b/ü.png?x=1 2#part"
    assert fetcher(port).fetch(url) == PICTURE
    again = f"http://pictures.test:{port}/to/pictures.test:{port}/a.png"
    assert fetcher(port).fetch(again) == PICTURE
    assert set(Handler.hosts) == {f"pictures.test:{port}"}


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("to/evil.test:{port}/a.png", "evil.test, port {port}, is not allowed"),
        ("to/pictures.test:22/a.png", "port 22, is not allowed"),
        ("to/inside.test:{port}/a.png", "inside.test is no public address"),
        ("to/mixed.test:{port}/a.png", "mixed.test is no public address"),
        ("to/pictures.test:{port}@evil.test/", "a URL without a plain host"),
        ("loop/", "redirected more than 3 times"),
        ("length/999999999", "larger than 200,000 bytes"),
        ("length/2", "broke off"),
        ("endless/", "larger than 200,000 bytes"),
        ("drip/", "took longer than 0.4 seconds"),
        ("drip-headers/", "took longer than 0.4 seconds"),
        ("packed/", "answered with packed bytes"),
        ("missing/", "answered 404"),
    ],
)
def test_what_a_server_may_not_do(port: int, path: str, reason: str) -> None:
    one = fetcher(port, total_s=0.4 if "took" in reason else 20.0)
    with pytest.raises(ImageError) as refusal:
        one.fetch(f"http://pictures.test:{port}/{path.format(port=port)}")
    assert reason.format(port=port) in refusal.value.what


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/a.png", "http://localhost/a.png", "http://evil.test/a.png",
        "http://pictures.test/a.png", "http://user@pictures.test:{port}/", "http://[::1/a.png",
        "http://:{port}/a.png", "http://pictures.test:99999/", "http:///a.png",
        "ftp://pictures.test:{port}/a.png", "gopher://pictures.test:{port}/_x",
        "http://pictures.test.evil.test:{port}/a", "http://pictures.test:{port}\r\nX: y/a.png",
        "http://2130706433:{port}/a.png", "http://ⓟictures.test.:1/a.png",
    ],
)  # fmt: skip
def test_urls_that_are_not_asked(port: int, url: str) -> None:
    Handler.hosts.clear()
    with pytest.raises(ImageError):
        fetcher(port).fetch(url.format(port=port))
    assert Handler.hosts == []


def test_the_address_that_was_checked_is_the_one_that_is_asked(port: int) -> None:
    asked = []

    def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    hosts = AllowedHosts([f"pictures.test:{port}"])
    one = ImageFetcher(hosts, resolve=rebinding, permit=lambda a: a == "127.0.0.1")
    assert one.fetch(f"http://pictures.test:{port}/a.png") == PICTURE
    assert asked == ["pictures.test"]
    with pytest.raises(ImageError, match="no public address"):
        one.fetch(f"http://pictures.test:{port}/a.png")


def test_by_default_no_loopback_is_asked(port: int) -> None:
    Handler.hosts.clear()
    for host in ("127.0.0.1", "localhost"):
        with pytest.raises(ImageError, match="no public address"):
            ImageFetcher(AllowedHosts([f"{host}:{port}"])).fetch(f"http://{host}:{port}/a.png")
    assert Handler.hosts == []


def test_a_secure_address_does_not_lead_to_an_open_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFetcher, "_ask", lambda *_: "http://pictures.test/a.png")
    with pytest.raises(ImageError, match="from https to http"):
        ImageFetcher(AllowedHosts(["pictures.test"])).fetch("https://pictures.test/")


@pytest.mark.parametrize(
    "address",
    [
        "10.1.2.3", "172.16.0.1", "192.168.1.1", "127.0.0.1", "127.9.9.9", "0.0.0.8", "169.254.1.1",
        "169.254.169.254", "100.64.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::",
        "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "192.0.2.1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


def test_addresses_that_are_public() -> None:
    assert all(map(is_public, ("1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1")))


@pytest.mark.parametrize("host", ["", "*", "*.", "a b", "http://a.test", "a/b", "a:b", "-"])
def test_a_host_that_is_none_is_refused(host: str) -> None:
    with pytest.raises(SettingError, match="is no host"):
        AllowedHosts([host])


def data_url(content: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(content).decode()


def test_paths_and_data_urls_are_opened(tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "deep" / "a.png").write_bytes(PICTURE)
    sources = ImageSources(tmp_path / "in")
    for name, folder in (
        ("deep/a.png", None),
        ("a.png", tmp_path / "in" / "deep"),
        ("../deep/a.png", tmp_path / "in" / "deep"),
        (str(tmp_path / "in" / "deep" / "a.png"), None),
        (data_url(PICTURE), None),
        (data_url(PICTURE).replace("image/png;", "IMAGE/PNG;charset=x;"), None),
        ("data:," + quote(PICTURE), None),
    ):
        assert sources.open(name, folder=folder).size == (30, 20), name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../secret.png", "outside the folder"),
        ("{tmp}/secret.png", "outside the folder"),
        ("leads-out.png", "outside the folder"),
        ("leads-out/secret.png", "outside the folder"),
        ("ring.png", "no"),
        ("none.png", "no such file"),
        ("deep", "not a file"),
        ("pipe.png", "not a file"),
        ("text.png", "not an image"),
        ("cut.png", "broken"),
        ("large.png", "larger than 100,000 bytes"),
        ("wide.png", "1100 x 1000 pixels, more than 1,000,000"),
        ("a\x00b.png", "no"),
        ("x" * 5_000, "not readable"),
        ("file:///etc/passwd", "a picture is not read by file:"),
        ("javascript:alert(1)", "a picture is not read by javascript:"),
        ("https://pictures.test/a.png", "no host is allowed"),
        ("data:image/png;base64", "not a data URL"),
        ("data:image/png;base64,%%%", "not base64"),
        ("data:image/png;base64,AAAA", "not an image"),
        ("data:," + "x" * 300_000, "larger than 100,000 bytes"),
    ],
)
def test_hostile_names_have_their_reason(tmp_path: Path, name: str, reason: str) -> None:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(PICTURE)
    (folder / "leads-out.png").symlink_to(tmp_path / "secret.png")
    (folder / "leads-out").symlink_to(tmp_path)
    (folder / "ring.png").symlink_to("ring.png")
    os.mkfifo(folder / "pipe.png")
    (folder / "text.png").write_text("no picture")
    (folder / "cut.png").write_bytes(PICTURE[:-30])
    (folder / "large.png").write_bytes(PICTURE + bytes(200_000))
    (folder / "wide.png").write_bytes(png(size=(1_100, 1_000)))
    sources = ImageSources(
        folder, max_bytes=100_000 if "wide" not in name else 2**24, max_pixels=10**6
    )
    with pytest.raises(ImageError, match=reason):
        sources.open(name.format(tmp=tmp_path))


def test_a_data_url_that_is_hostile_to_a_pattern_takes_no_time() -> None:
    with pytest.raises(ImageError, match="not a data URL"):
        ImageSources(Path()).open("data:" + ";" * 200_000 + ",")  # read in no more than its head
