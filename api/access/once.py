"""Requests that change something at most once: what was answered to an idempotency key is kept.

One file a key, locked while its request runs, so that a killed server lets go of it. What is kept
is the answer of a request that succeeded; one that failed has changed nothing and frees its key.
After the draft RFC on the Idempotency-Key header.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from api.errors import HttpProblem
from kg.errors import StoreTransientError
from kg.file_lock import locked
from kg.files import sha256_of_text

__all__ = ["KEPT_S", "MAX_KEY", "Claim", "KeptReply", "Once", "fingerprint"]

KEPT_S = 24 * 3600
"""Seconds for which an answer is kept."""
MAX_KEY = 200
"""Characters of a key."""
_SWEEP_S = 600


@dataclass(frozen=True, slots=True)
class KeptReply:
    """What was answered, and to what.

    Attributes:
        request: Fingerprint of the request.
        status: Of the answer.
        headers: Of the answer, those that say what it is.
        body: Of the answer.
    """

    request: str
    status: int
    headers: dict[str, str]
    body: str


@dataclass(slots=True)
class Claim:
    """A key that one request holds.

    Attributes:
        reply: What was answered before, if it was.
    """

    reply: KeptReply | None
    _handle: int

    def keep(self, reply: KeptReply) -> None:
        """Keep an answer; once this returns it outlives the machine."""
        content = json.dumps(asdict(reply)).encode() + b"\n"
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, content, 0)
        os.fsync(self._handle)


class Once:
    """Keeps answers in a folder that all processes of a server share.

    Args:
        folder: Made with the first key.
        kept_s: Seconds for which an answer is kept.
    """

    def __init__(self, folder: Path, *, kept_s: float = KEPT_S) -> None:
        self._folder = folder
        self._kept_s = kept_s
        self._swept = 0.0

    @contextmanager
    def claim(self, who: str, key: str, request: str) -> Iterator[Claim]:
        """Hold a key while its request runs.

        Args:
            who: Whose key: two users may choose the same one.
            key: The idempotency key.
            request: Fingerprint of the request.

        Raises:
            HttpProblem: A request with this key runs now, or it was used for another request.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._sweep()
        path = self._folder / sha256_of_text(json.dumps([who, key]))
        handle = _held(path)
        if handle is None:
            raise HttpProblem("idempotency-key-in-use", "a request with this key runs now")
        try:
            reply = None if self._is_old(handle) else _read(handle)
            if reply is not None and reply.request != request:
                raise HttpProblem(
                    "idempotency-key-reused", "this key was sent with another request"
                )
            yield Claim(reply, handle)
        finally:
            os.close(handle)

    def _is_old(self, handle: int) -> bool:
        return os.fstat(handle).st_mtime < time.time() - self._kept_s

    def _sweep(self) -> None:
        """Delete old answers, at times."""
        if time.monotonic() < self._swept + _SWEEP_S and self._swept:
            return
        self._swept = time.monotonic()
        for path in self._folder.iterdir():
            handle = _held(path)
            if handle is None:
                continue
            if self._is_old(handle):
                path.unlink(missing_ok=True)
            os.close(handle)


def fingerprint(method: str, address: str, body: bytes) -> str:
    """Return what tells one request from another; how its JSON is written does not.

    Example:
        >>> one, other = b'{"a": 1, "b": 2}', b'{"b":2,"a":1}'
        >>> fingerprint("POST", "/v1/undo", one) == fingerprint("POST", "/v1/undo", other)
        True
    """
    text = body.decode("utf-8", "replace")
    with suppress(ValueError, RecursionError):
        text = json.dumps(json.loads(body), sort_keys=True)
    return sha256_of_text(json.dumps([method, address, text]))


def _held(path: Path) -> int | None:
    """Return the locked handle of the file at a path, or None if another holds it."""
    while True:
        try:
            handle = locked(path, fcntl.LOCK_EX, 0.0)
        except StoreTransientError:
            return None
        with suppress(FileNotFoundError):  # it was swept between opening and locking
            if os.path.samestat(os.fstat(handle), path.stat()):
                return handle
        os.close(handle)


def _read(handle: int) -> KeptReply | None:
    """Return what a file holds; half a line, of a server killed while it wrote, is nothing."""
    content = os.pread(handle, os.fstat(handle).st_size, 0)
    if not content.endswith(b"\n"):
        return None
    return KeptReply(**json.loads(content))
