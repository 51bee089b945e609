"""The keys that open one of a server's graphs: its own, and those made at home for it by name."""

from __future__ import annotations

from api.access.keys import Key, KeyRing

__all__ = ["HOME", "GraphKeys"]

HOME = "home"
"""Name of the graph of the working folder that the server was started in."""


class GraphKeys:
    """Finds the keys of one graph.

    Args:
        own: Keys of the graph's own folder; to them it is home, by whatever name it is served.
        name: Of the graph in this server.
        home: Keys of the server's working folder; for this graph only those that name it.
    """

    def __init__(self, own: KeyRing, *, name: str = HOME, home: KeyRing | None = None) -> None:
        self._own = own
        self._name = name
        self._home = home

    @property
    def any(self) -> bool:
        """Whether some key opens this graph."""
        named = () if self._home is None else self._home.keys
        return bool(self._own.keys) or any(self._name in key.graphs for key in named)

    def find(self, text: str) -> Key | None:
        """Return the key that a text is, if it opens this graph."""
        key = self._own.find(text)
        if key is not None:
            return key if not key.graphs or HOME in key.graphs else None
        key = None if self._home is None else self._home.find(text)
        return key if key is not None and self._name in key.graphs else None
