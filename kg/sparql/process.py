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

__all__ = ["ASK", "END", "FOLLOW", "READY", "follow", "main"]

READY, FOLLOW, ASK, END = b"r", b"f", b"q", b"e"
"""Orders and replies on the socket; all orders are followed by a number: that of a query."""

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
        if order[:1] == FOLLOW:
            _follow(store, socket.socket(fileno=sockets[0]))
        elif order[:1] == ASK:
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


def _follow(store: ox.Store, client: socket.socket) -> None:
    with client, client.makefile("rb") as stream:
        head = json.loads(stream.readline())
        follow(store, head, stream.read(head["bytes"]))
        client.send(READY)


def follow(store: ox.Store, head: dict[str, Any], quads: bytes) -> None:
    """Forget what is said of some facts and take what is said of them now.

    Args:
        store: A copy of a graph.
        head: IRIs of the facts and of the terms that say what is theirs
            (`kg.sparql.following.QuadChanges`).
        quads: What is said of them now, as N-Quads.
    """
    for quad in _said(store, head):
        store.remove(quad)
    store.extend(ox.parse(quads, format=ox.RdfFormat.N_QUADS, lenient=True))


def _said(store: ox.Store, head: dict[str, Any]) -> list[ox.Quad]:
    """Return all quads of some facts: their own, and those of their records."""
    default, about = ox.DefaultGraph(), ox.NamedNode(head["about"])
    record = ox.NamedNode(head["record"])
    found = []
    for subject, predicate, object_ in head["triples"]:
        ends = ox.NamedNode(subject), ox.NamedNode(object_)
        found.append(ox.Quad(ends[0], ox.NamedNode(predicate), ends[1], default))
    for iri in head["entities"]:
        own = store.quads_for_pattern(ox.NamedNode(iri), None, None, default)
        found += (q for q in own if not q.predicate.value.startswith(head["relations"]))
    for iri in (*head["entities"], *head["statements"]):
        told = list(store.quads_for_pattern(ox.NamedNode(iri), None, None, about))
        found += told
        for quad in told:
            if quad.predicate == record and isinstance(quad.object, ox.NamedNode):
                found += store.quads_for_pattern(quad.object, None, None, about)
    return found


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
            prefixes=asked["prefixes"],
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
