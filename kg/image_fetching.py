"""Pictures by HTTP(S), from hosts that the operator named and from no address inside a network.

The URL comes from a table, so it is hostile. A host must be on the list, here and after every
redirect. All addresses that its name stands for must be public, and the connection goes to the very
address that was checked: asking the name again could give another. Bytes, redirects and seconds are
limited, whatever the server does. Proxies of the environment are not used.
"""

from __future__ import annotations

import http.client
import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from kg.errors import ImageError, SettingError

__all__ = ["AllowedHosts", "FetchLimits", "ImageFetcher", "addresses_of", "is_public"]

Resolve = Callable[[str, int], Sequence[str]]
"""Returns the addresses of a host name."""

PORTS: Final = {"http": 80, "https": 443}
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_BLOCK: Final = 64 * 1024
_HOST = re.compile(r"((\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\])(:\d{1,5})?")
_EMBEDDING = [
    ipaddress.IPv6Network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16")
]
_SAFE = "/%:=&?~#+!$,;'@()*[]"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """What one picture may cost.

    Attributes:
        max_bytes: Size of the answer.
        connect_s: Seconds until the connection stands.
        total_s: Seconds for one answer, headers included.
        redirects: How often it may lead elsewhere.
    """

    max_bytes: int = 16 * 2**20
    connect_s: float = 5.0
    total_s: float = 20.0
    redirects: int = 3


class AllowedHosts:
    """Hosts that pictures may come from.

    Args:
        hosts: ``example.org`` (ports 80 and 443), ``example.org:8080``, or ``*.example.org`` for
            the names below it.

    Raises:
        SettingError: One is no host.

    Example:
        >>> hosts = AllowedHosts(["Example.org", "*.example.net"])
        >>> hosts.allow("example.org", 443), hosts.allow("a.b.example.net", 80)
        (True, True)
        >>> hosts.allow("example.org.evil.com", 443), hosts.allow("example.org", 22)
        (False, False)
    """

    def __init__(self, hosts: Iterable[str]) -> None:
        self.names = tuple(sorted({host.strip().lower().rstrip(".") for host in hosts}))
        for name in self.names:
            if not _HOST.fullmatch(name):
                raise SettingError(
                    f"{name[:80]!r} is no host", where="--allow-host", hint="such as example.org"
                )

    def allow(self, host: str, port: int) -> bool:
        """Tell whether a host, in lower case, may be asked at a port."""
        return any(_fits(name, host, port) for name in self.names)


def _fits(name: str, host: str, port: int) -> bool:
    bare, _, wanted = name.rpartition(":") if re.search(r":\d+$", name) else (name, "", "")
    if port != int(wanted) if wanted else port not in PORTS.values():
        return False
    return host.endswith(bare[1:]) if bare.startswith("*.") else host == bare.strip("[]")


def is_public(address: str) -> bool:
    """Tell whether an address belongs to the public internet.

    Private, loopback, link-local, shared, multicast and reserved ones do not; nor do those of IPv6
    that stand for one of IPv4.

    Example:
        >>> [is_public(a) for a in ("93.184.216.34", "10.0.0.1", "169.254.169.254", "::1")]
        [True, False, False, False]
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return is_public(str(found.ipv4_mapped))
        if found.teredo is not None or any(found in network for network in _EMBEDDING):
            return False
    return found.is_global and not (
        found.is_multicast or found.is_reserved or found.is_unspecified or found.is_loopback
    )


def addresses_of(host: str, port: int) -> Sequence[str]:
    """Ask the system for the addresses of a host.

    Raises:
        OSError: It has none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(row[4][0]) for row in found]


class ImageFetcher:
    """Fetches pictures.

    Args:
        hosts: Where from.
        limits: What one may cost.
        resolve: Returns the addresses of a host.
        permit: Tells whether an address may be connected to.
    """

    def __init__(
        self,
        hosts: AllowedHosts,
        *,
        limits: FetchLimits | None = None,
        resolve: Resolve = addresses_of,
        permit: Callable[[str], bool] = is_public,
    ) -> None:
        self._hosts = hosts
        self._limits = limits or FetchLimits()
        self._resolve, self._permit = resolve, permit
        self._tls = ssl.create_default_context()

    def fetch(self, url: str) -> bytes:
        """Return the bytes at a URL.

        Raises:
            ImageError: It is not allowed, cannot be reached, or costs too much; with the reason.
        """
        deadline = time.monotonic() + self._limits.total_s
        where = url[:200]
        try:
            for _ in range(self._limits.redirects + 1):
                found = self._ask(url, deadline)
                if isinstance(found, bytes):
                    return found
                secure = urlsplit(url).scheme == "https"
                url = urljoin(url, found)
                if secure and urlsplit(url).scheme != "https":
                    raise ImageError("led from https to http", where=where)
        except TimeoutError as error:
            raise self._late(where) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            if isinstance(error, ImageError):
                raise ImageError(error.what, where=where, hint=error.hint) from error
            if time.monotonic() >= deadline:
                raise self._late(where) from error
            told = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise ImageError(f"not reached: {told[:200]}", where=where) from error
        raise ImageError(f"redirected more than {self._limits.redirects} times", where=where)

    def _late(self, where: str) -> ImageError:
        return ImageError(f"took longer than {self._limits.total_s:g} seconds", where=where)

    def _ask(self, url: str, deadline: float) -> bytes | str:
        """Return the bytes at a URL, or where it leads."""
        parts = urlsplit(url)
        host, port = self._allowed(parts)
        address = self._checked(host, port)
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        tls = self._tls if parts.scheme == "https" else None
        connection = _Connection(host, port, address, tls)
        connection.timeout = min(self._limits.connect_s, left)
        # A server that sends a byte now and then would outlive every time-out of a single read.
        alarm = threading.Timer(left, connection.cut)
        alarm.daemon = True
        alarm.start()
        try:
            target = quote(parts.path or "/", safe=_SAFE)
            target += f"?{quote(parts.query, safe=_SAFE)}" if parts.query else ""
            headers = {"Accept": "image/*", "Accept-Encoding": "identity", "User-Agent": "umbra"}
            connection.request("GET", target, headers=headers)
            with connection.getresponse() as response:
                found = self._answer(response)
            if time.monotonic() >= deadline:  # what was cut may look like an end
                raise TimeoutError
            return found
        finally:
            alarm.cancel()
            connection.close()

    def _allowed(self, parts: SplitResult) -> tuple[str, int]:
        if parts.scheme not in PORTS:
            raise ImageError(f"{parts.scheme[:20]!r} is neither http nor https")
        if "@" in parts.netloc or not parts.hostname:
            raise ImageError("a URL without a plain host")
        host = parts.hostname.rstrip(".")
        if not host.isascii():
            host = host.encode("idna").decode()
        port = parts.port or PORTS[parts.scheme]
        if not self._hosts.allow(host, port):
            raise ImageError(f"{host[:100]}, port {port}, is not allowed", hint="--allow-host HOST")
        return host, port

    def _checked(self, host: str, port: int) -> str:
        addresses = self._resolve(host, port)
        if not addresses or not all(map(self._permit, addresses)):
            raise ImageError(f"{host[:100]} is no public address")
        return addresses[0]

    def _answer(self, response: http.client.HTTPResponse) -> bytes | str:
        if response.status in _REDIRECTS:
            return response.getheader("Location") or ""
        if response.status != http.client.OK:
            raise ImageError(f"answered {response.status}")
        if (response.getheader("Content-Encoding") or "identity").lower() != "identity":
            raise ImageError("answered with packed bytes, which were not asked for")
        most = self._limits.max_bytes
        blocks, size = [], 0
        if response.length is None or response.length <= most:
            while block := response.read(min(_BLOCK, most + 1 - size)):
                blocks.append(block)
                size += len(block)
                if size > most:
                    break
        if size > most or (response.length or 0) > most:
            raise ImageError(f"larger than {most:,} bytes")
        if response.length:  # the server ended before all that it had announced
            raise ImageError("broke off")
        return b"".join(blocks)


class _Connection(http.client.HTTPConnection):
    """A connection to an address that was checked, under the name that was asked for."""

    def __init__(self, host: str, port: int, address: str, tls: ssl.SSLContext | None) -> None:
        super().__init__(f"[{host}]" if ":" in host else host, port)
        self._address, self._name, self._tls = address, host, tls
        self._held: socket.socket | None = None
        self.default_port = PORTS["http" if tls is None else "https"]

    def connect(self) -> None:
        """Connect to the address; the name is only what a certificate must be for."""
        self._held = socket.create_connection((self._address, self.port), self.timeout)
        self.sock = self._held
        if self._tls is not None:
            self.sock = self._held = self._tls.wrap_socket(self._held, server_hostname=self._name)

    def close(self) -> None:
        """Close the connection, also where a response has taken the socket over."""
        super().close()
        if self._held is not None:
            self._held.close()

    def cut(self) -> None:
        """End whatever goes on, from another thread; a response may have taken the socket over."""
        if self._held is not None:
            with suppress(OSError):
                self._held.shutdown(socket.SHUT_RDWR)
