"""API keys: random texts that are shown once and kept as digests, each with its scopes.

A key holds 256 random bits, so that its digest needs no slow hash: nobody can try them all. What
lies on the disk opens nothing, and a lookup by the id in the key compares in constant time.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from kg.errors import ConflictError, ForeignFileError, InputError
from kg.files import read_json, write_json

__all__ = ["FORMAT", "SCOPES", "Key", "KeyRing", "Scope"]

Scope = Literal["read", "write", "jobs", "admin"]
"""What a key may do: ask; change the graph and decide; run jobs; all of these."""

SCOPES: tuple[Scope, ...] = get_args(Scope)
FORMAT = 1
MAX_NAME = 200
_TEXT = re.compile(r"umbra_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What is kept of a key; the key itself is kept nowhere.

    Attributes:
        id: The part of the key that may be shown.
        name: Whose it is, for people.
        scopes: What it may do.
        digest: Of the whole key, in hex.
        created: When, in UTC.
        rate: Requests a second; 0 for any number, None for as many as the server gives all.
        parallel: Requests under way at a time; the same.
        graphs: Names of the graphs of a server that it opens; none for its folder's own alone.
    """

    id: str
    name: str
    scopes: tuple[Scope, ...]
    digest: str
    created: str
    rate: float | None = None
    parallel: int | None = None
    graphs: tuple[str, ...] = ()

    def may(self, scope: Scope) -> bool:
        """Tell whether the key may do this; `admin` may all."""
        return scope in self.scopes or "admin" in self.scopes


class KeyRing:
    """The keys of a working folder; a change by another process is seen with the next request.

    Args:
        path: Their file. None is made before the first key is.

    Example:
        >>> import tempfile
        >>> ring = KeyRing(Path(tempfile.mkdtemp()) / "keys.json")
        >>> key, text = ring.create("the dashboard", ["read"])
        >>> ring.find(text) == key, ring.find(text[:-1] + "?")
        (True, None)
        >>> ring.revoke(key.id).name, ring.find(text)
        ('the dashboard', None)
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._keys: dict[str, Key] = {}

    @property
    def keys(self) -> tuple[Key, ...]:
        """The keys, oldest first.

        Raises:
            ForeignFileError: Their file is none.
            FormatVersionError: It has another format number.
        """
        self._follow()
        return tuple(self._keys.values())

    def find(self, text: str) -> Key | None:
        """Return the key that a text is, if it is one of these."""
        self._follow()
        match = _TEXT.fullmatch(text)
        key = self._keys.get(match[1]) if match else None
        return key if key and hmac.compare_digest(_digest(text), key.digest) else None

    def create(
        self,
        name: str,
        scopes: Collection[str],
        *,
        rate: float | None = None,
        parallel: int | None = None,
        graphs: Collection[str] = (),
    ) -> tuple[Key, str]:
        """Make a key.

        Args:
            name: Whose it is.
            scopes: What it may do.
            rate: Requests a second, if not as the server gives all.
            parallel: Requests under way at a time; the same.
            graphs: Names of the graphs that it opens; none for this folder's own alone.

        Returns:
            What is kept of it, and the key itself: nobody can read it again.

        Raises:
            InputError: There is no name, no scope, an unknown scope, or a limit below 0.
        """
        if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
            raise InputError(
                f"a key needs a name of 1 to {MAX_NAME} printable characters", where="name"
            )
        unknown = sorted(set(scopes) - set(SCOPES))
        if unknown or not scopes:
            raise InputError(
                f"no scope {unknown[0]!r}" if unknown else "a key without a scope opens nothing",
                where="scopes",
                hint=f"scopes are {', '.join(SCOPES)}",
            )
        if (rate or 0) < 0 or (parallel or 0) < 0:
            raise InputError("a limit of a key is at least 0", where="rate and parallel")
        self._follow()
        public = secrets.token_hex(4)
        text = f"umbra_{public}_{secrets.token_urlsafe(32)}"
        key = Key(
            id=public,
            name=name,
            scopes=tuple(scope for scope in SCOPES if scope in scopes),
            digest=_digest(text),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            rate=rate,
            parallel=parallel,
            graphs=tuple(sorted(set(graphs))),
        )
        self._write([*self._keys.values(), key])
        return key, text

    def revoke(self, key_id: str) -> Key:
        """Take a key away; a running server refuses it from its next request on.

        Raises:
            ConflictError: No key has this id.
        """
        self._follow()
        gone = self._keys.get(key_id)
        if gone is None:
            raise ConflictError(
                f"no key {key_id[:40]!r}", where=str(self._path), hint="umbra keys list"
            )
        self._write(key for key in self._keys.values() if key is not gone)
        return gone

    def _follow(self) -> None:
        """Read the file if it is not the one that was read last."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            self._keys, self._seen = {}, None
            return
        seen = (found.st_ino, found.st_mtime_ns, found.st_size)
        if seen != self._seen:
            self._keys, self._seen = _read(self._path), seen

    def _write(self, keys: Iterable[Key]) -> None:
        rows = [asdict(key) for key in keys]
        write_json(self._path, {"format": FORMAT, "keys": rows})  # readable by its owner alone


def _read(path: Path) -> dict[str, Key]:
    rows: Any = read_json(path, kind="file of keys", formats=(FORMAT,)).get("keys")
    try:
        keys = [_key(row) for row in rows]
    except (TypeError, KeyError) as error:
        raise ForeignFileError(
            "not a file of keys", where=str(path), hint="move it away and make new keys"
        ) from error
    return {key.id: key for key in keys}


def _key(row: dict[str, Any]) -> Key:
    lists = {"scopes": tuple(row["scopes"]), "graphs": tuple(row.get("graphs", ()))}
    return Key(**{**row, **lists})


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=32, person=b"umbra-key").hexdigest()
