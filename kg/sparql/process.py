"""The process that holds a graph in memory and has each query run in a child of its own.

Started as a script, with the graph as N-Quads on standard input and a socket for orders. A query's
child can open no file and no connection, may use so much memory and live so long: the engine
itself knows no such limits. It needs nothing of Umbra's but this file.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import sys
from typing import Any

import pyoxigraph as ox

__all__ = ["ASK", "END", "READY", "main"]

READY, ASK, END = b"r", b"q", b"e"
"""Orders and replies on the socket; the last two are followed by the number of a query."""

NUMBER_BYTES = 8
MAX_BYTES = 64 * 2**20
"""Largest answer."""

RESULTS = {
    "json": ox.QueryResultsFormat.JSON,
    "xml": ox.QueryResultsFormat.XML,
    "csv": ox.QueryResultsFormat.CSV,
    "tsv": ox.QueryResultsFormat.TSV,
}


def main() -> None:
    """Hold the graph until the socket is closed."""
    orders = socket.socket(fileno=int(sys.argv[1]))
    store = ox.Store()
    store.bulk_load(sys.stdin.buffer, format=ox.RdfFormat.N_QUADS, lenient=True)
    orders.send(READY)
    children: dict[bytes, int] = {}
    while True:
        order, sockets, *_ = socket.recv_fds(orders, 1 + NUMBER_BYTES, 1)
        if not order:
            break
        _reap(children)
        number = order[1:]
        if order[:1] == ASK:
            child = os.fork()
            if child == 0:
                orders.close()
                _child(store, socket.socket(fileno=sockets[0]))
            children[number] = child
            os.close(sockets[0])
        elif number in children:
            os.kill(children[number], signal.SIGKILL)
    for child in children.values():
        os.kill(child, signal.SIGKILL)


def _reap(children: dict[bytes, int]) -> None:
    """Forget children that have ended; until then nobody else gets their number."""
    for number, child in list(children.items()):
        if os.waitpid(child, os.WNOHANG)[0]:
            del children[number]


def _child(store: ox.Store, client: socket.socket) -> None:
    """Answer one query and end."""
    status = 1
    try:
        with client, client.makefile("rwb") as stream:
            asked = json.loads(stream.readline())
            _limit(asked["timeout_s"], asked["memory_bytes"])
            head, body = _answer(store, asked)
            stream.write(json.dumps(head).encode() + b"\n" + body)
            stream.flush()
        status = 0
    finally:
        os._exit(status)


def _limit(timeout_s: float, memory_bytes: int) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # the engine tells there how it died
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - no more imports
        used = int(file.read().split()[0]) * resource.getpagesize()
    for what, limit in (
        (resource.RLIMIT_AS, used + memory_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 0),
    ):
        resource.setrlimit(what, (limit, limit))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process, whatever it is doing
    signal.setitimer(signal.ITIMER_REAL, timeout_s)


def _answer(store: ox.Store, asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return a head, which says what went wrong if something did, and a body."""
    try:
        found = store.query(
            asked["query"],
            default_graph=[*map(ox.NamedNode, asked["default_graphs"])] or None,
            named_graphs=[*map(ox.NamedNode, asked["named_graphs"])] or None,
        )
        kind, body = _written(found, asked)
    except SyntaxError as error:
        return {"syntax": str(error)}, b""
    except OSError:  # the only one there can be: SERVICE
        return {"reach": True}, b""
    except (RuntimeError, ValueError) as error:
        return {"unsupported": str(error)}, b""
    except MemoryError:
        return {"large": True}, b""
    if kind == "limit":
        return {"rows": asked["max_rows"]}, b""
    return ({"large": True}, b"") if len(body) > MAX_BYTES else ({"media": kind}, body)


def _written(
    found: ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples, asked: dict[str, Any]
) -> tuple[str, bytes]:
    wanted = asked["graph" if isinstance(found, ox.QueryTriples) else "result"]
    if wanted is None:
        return "none", b""
    limit = asked["max_rows"]
    if isinstance(found, ox.QueryTriples):
        triples = [triple for triple, _ in zip(found, range(limit + 1), strict=False)]
        if len(triples) > limit:
            return "limit", b""
        form = ox.RdfFormat.from_extension(wanted)
        return "graph", ox.serialize(triples, format=form, prefixes=asked["prefixes"]) or b""
    if isinstance(found, ox.QuerySolutions):
        rows = [row for row, _ in zip(found, range(limit + 1), strict=False)]
        if len(rows) > limit:
            return "limit", b""
        # the library writes only whole results, so what was counted becomes one again
        text = "\t".join(map(str, found.variables)) + "\n"
        text += "".join("\t".join(map(_term, row)) + "\n" for row in rows)
        found = ox.parse_query_results(text.encode(), format=ox.QueryResultsFormat.TSV)
    return "result", found.serialize(format=RESULTS[wanted]) or b""


def _term(term: object) -> str:
    if isinstance(term, ox.Triple):
        return f"<<( {' '.join(map(_term, term))} )>>"
    return "" if term is None else str(term)


if __name__ == "__main__":
    main()
