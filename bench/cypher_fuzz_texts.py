"""Texts to try a gate with: mutated queries, and queries made from a grammar that also attacks.

Everything follows from a seed. The texts name a canary (a file and a local address) in every way
that reaches files or the network somewhere, and write in every way that writes somewhere.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kg.cypher_names import FUNCTIONS, PROCEDURES

__all__ = ["Canary", "fuzzed"]

SIGNS = (
    *"(){}[]|:;,.'\"`\\$/*-+<>=%^!&~@#?\n\t\r \x00", "\u00a0", "\u2028", "\ufeff", "\u037e",
    "\uff07", "//", "/*", "*/", "->", "<-", "..", "*1..3", "=~", "<>", "+=", "\\u0027", "\\'", "''",
    "$p", "\\U00000027", "\ud800",
)  # fmt: skip
_KNOWN = """
    MATCH RETURN WHERE WITH UNWIND OPTIONAL UNION ALL ORDER BY SKIP LIMIT AS DISTINCT CALL YIELD
    CASE WHEN THEN ELSE END EXISTS COUNT COLLECT NOT AND OR XOR IN IS NULL STARTS CONTAINS n m r x
    CREATE MERGE SET DELETE DETACH REMOVE FOREACH DROP INDEX LOAD CSV FROM HEADERS USE SHOW 1 0 -1
    EXPLAIN PROFILE CYPHER USING PERIODIC COMMIT TRANSACTIONS INSERT SELECT UPDATE GRANT key name
    9223372036854775807 1e308 0x7f null true [] {} 'a' :A :T"""
WORDS = tuple(_KNOWN.split())
UNLISTED = (
    "apoc.load.json", "apoc.cypher.doIt", "umbra.bump", "umbra.version", "sql", "file", "load",
    "dbms.components", "db.index.fulltext.queryNodes", "toFile", "system", "eval",
)  # fmt: skip


@dataclass(frozen=True)
class Canary:
    """What no query may touch: a file, and an address that somebody listens at."""

    file: str
    address: str


def fuzzed(count: int, *, seed: int, corpus: Sequence[str], canary: Canary) -> Iterator[str]:
    """Yield texts: three fifths mutated from a corpus, the rest made by `RULES`.

    Args:
        count: How many.
        seed: Of everything.
        corpus: Queries to mutate.
        canary: Named by the texts that try to reach out.
    """
    draw = random.Random(seed)
    grammar = _Grammar(draw, canary)
    for number in range(count):
        if number % 5 < 3:
            yield _mutated(draw, draw.choice(corpus), corpus, grammar)
        else:
            yield grammar.text("query")


def _mutated(draw: random.Random, text: str, corpus: Sequence[str], grammar: _Grammar) -> str:
    for _ in range(draw.choice((0, 1, 1, 2, 3, 6))):
        at = draw.randint(0, len(text))
        to = min(len(text), at + draw.randint(0, 12))
        match draw.randint(0, 9):
            case 0:
                text = text[:at] + text[to:]
            case 1 | 2:
                text = text[:at] + draw.choice(SIGNS) + text[at:]
            case 3 | 4:
                text = f"{text[:at]} {draw.choice(WORDS)} {text[at:]}"
            case 5:
                text = text[:at] + text[at:to] * draw.randint(2, 5) + text[to:]
            case 6:
                other = draw.choice(corpus)
                cut = draw.randint(0, len(other))
                text = text[:at] + draw.choice(("", " ", "\n", ";")) + other[cut:]
            case 7:
                text = (
                    f"{text}{draw.choice((' ', chr(10), ';', ' UNION '))}{grammar.text('clause')}"
                )
            case 8:
                text = draw.choice((text.upper(), text.lower(), text.swapcase(), text[::-1]))
            case _:
                words = text.split(" ")
                draw.shuffle(words)
                text = " ".join(words)
    return text


RULES: dict[str, tuple[str, ...]] = {
    "query": (
        *("<clauses>RETURN <items><tail>",) * 8, "<clauses>RETURN <items> UNION <query>",
        "EXPLAIN <query>",
    ),
    "clauses": ("", "<clause> ", "<clause> <clause> ", "<clause> <clause> <clause> "),
    "clause": ("<reading>", "<reading>", "<reading>", "<attack>"),
    "reading": (
        "MATCH <pattern>", "MATCH <pattern> WHERE <value>", "OPTIONAL MATCH <pattern>",
        "UNWIND <value> AS <name>", "WITH <items><tail>", "CALL { <clause> RETURN <items> }",
        "CALL <procedure>(<value>) YIELD <name>", "MATCH p = shortestPath(<pattern>)",
    ),
    "attack": (
        "CREATE <new>", "MERGE <new> ON CREATE SET <name>.x = <value>", "SET <name>.x = <value>",
        "SET <name> += {x: 1}", "SET <name>:Zz", "REMOVE <name>.key", "REMOVE <name>:A",
        "DETACH DELETE <name>", "DELETE <name>", "FOREACH (x IN [1] | CREATE <new>)",
        "CALL { CREATE <new> }", "CALL { WITH 1 AS y CREATE <new> } IN TRANSACTIONS",
        "LOAD CSV FROM '<file>' AS line", "LOAD CSV FROM '<address>' AS line",
        "LOAD CSV WITH HEADERS FROM \"<file>\" AS line", "DROP INDEX i IF EXISTS",
        "CALL apoc.load.json('<address>') YIELD value", "WHERE EXISTS { CREATE <new> }",
        "CREATE INDEX i FOR (n:A) ON (n.x)", "/* */CREATE/**/<new>", "//\nCREATE <new>",
        "`CREATE` <new>", "\\u0043REATE <new>", "C\\u0052EATE <new>", "; CREATE <new>;",
        "RETURN '\\'' + \"// '\" CREATE <new> //", "CREATE\u00a0<new>", "cReAtE<new>",
        "INSERT <new>", "USE system", "SHOW USERS", "CREATE USER u SET PASSWORD 'p'", "BEGIN",
        "COMMIT", "CALL db.createLabel('Zz')", "CALL dbms.shutdown()", "EXPLAIN CREATE <new>",
        "PROFILE CREATE <new>", "CYPHER 5 CREATE <new>", "INSERT INTO A SET x = <value>",
        "DELETE FROM A", "CREATE VERTEX TYPE Zz", "RETURN umbra.bump(), load('<file>')",
        "UNWIND range(1, 1000000000) AS x", "USING PERIODIC COMMIT LOAD CSV FROM '<file>' AS l",
    ),
    "new": ("(<name>:Zz {x: <value>})", "(:Zz)-[:ZZ]->(:Zz)"),
    "name": ("n", "m", "x", "y", "p", "`a b`", "`x) DELETE (n`"),
    "pattern": ("<node>", "<node><hop><node>", "<node><hop><node><hop><node>"),
    "hop": ("-->", "<--", "--", "-[<edge>]->", "<-[<edge>]-", "-[<edge>]-"),
    "edge": ("", ":T", ":T|borders", "r:borders", ":T*1..3", "*", "*0..2", "r"),
    "node": (
        "()", "(<name>)", "(<name>)", "(<name>:A)", "(:Country)", "(<name>:A:B)", "(:SET)",
        "(<name> {key: <value>})", "(n {name: $p})",
    ),
    "items": ("*", "<item>", "<item>, <item>", "DISTINCT <item>", "<item>, <item>, <item>"),
    "item": ("<value>", "<value> AS <name>"),
    "tail": ("", "", "", " ORDER BY <value>", " SKIP 1", " LIMIT 3", " LIMIT $p", " LIMIT -1"),
    "values": ("", "<value>", "<value>", "<value>, <value>", "<value>, <value>, <value>"),
    "value": (
        "<leaf>", "<leaf>", "<leaf>", "<value> <operator> <value>", "(<value>)", "NOT <value>",
        "[<value>, <value>]", "{a: <value>}", "<value>[<value>]", "<value> IN [<value>]",
        "<function>(<values>)", "<function>(<values>)", "<function>(<values>)",
        "CASE WHEN <value> THEN <value> END", "[x IN range(1, 3) WHERE <value> | <value>]",
        "all(x IN [<value>] WHERE <value>)", "reduce(s = 0, x IN [<value>] | <value>)",
        "EXISTS { <pattern> }", "COUNT { MATCH <pattern> }", "[<pattern> | <value>]",
        "<value> =~ '(a+)+$'", "n {.name, k: <value>}", "<value> STARTS WITH <value>",
        "<value> IS NOT NULL", "<value>[0..<value>]",
    ),
    "operator": ("+", "-", "*", "/", "%", "^", "=", "<>", "<", ">=", "AND", "OR", "XOR"),
    "leaf": (
        "1", "0", "-1.5", "'a'", "\"b\"", "null", "true", "$p", "[]", "{}", "n.name", "n", "x",
        "9223372036854775807", "0x1F", "1e308", "'it\\'s'", "n.`a b`", "(n)", "n:A",
    ),
    "function": (*sorted(FUNCTIONS), *UNLISTED),
    "procedure": (*sorted(PROCEDURES), *UNLISTED),
}  # fmt: skip
"""What each ``<rule>`` may become; an attack is a clause in four."""
DEEPEST = 4
LEAVES = {
    "value": "leaf", "values": "leaf", "clause": "reading", "reading": "tail", "pattern": "node",
    "node": "name", "query": "tail", "clauses": "tail", "items": "leaf",
}  # fmt: skip
"""What a rule gives way to when a text has become too deep."""
_RULE = re.compile(r"<([a-z]+)>")


class _Grammar:
    """Draws texts from `RULES`."""

    def __init__(self, draw: random.Random, canary: Canary) -> None:
        self._draw = draw
        self._places = {"file": canary.file, "address": canary.address}

    def text(self, rule: str, depth: int = 0) -> str:
        if rule in self._places:
            return self._places[rule]
        if depth > DEEPEST:
            rule = LEAVES.get(rule, rule)
        if depth > 2 * DEEPEST:
            return "1"
        return _RULE.sub(
            lambda found: self.text(found[1], depth + 1), self._draw.choice(RULES[rule])
        )
