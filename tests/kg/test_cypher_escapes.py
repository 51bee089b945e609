"""Known ways past gates, none of which passes: what writes, administers, reaches out, or hides."""

from __future__ import annotations

import pytest

from kg.cypher import check
from kg.errors import QuerySyntaxError, ReadOnlyError, UnsupportedQueryError

WRITES = (
    "EXPLAIN CREATE (n)",
    "PROFILE CREATE (n)",
    "CYPHER 5 CREATE (n)",
    "CYPHER planner=cost MATCH (n) DELETE n",
    "USING PERIODIC COMMIT LOAD CSV FROM 'file:///x' AS l RETURN l",
    "CALL { WITH 1 AS x CREATE (n) } IN TRANSACTIONS OF 1 ROWS",
    "CALL { CREATE (n) }",
    "MATCH (n) CALL (n) { SET n.x = 1 }",
    "WITH 1 AS x MERGE (n) RETURN n",
    "MATCH (n) WITH n DELETE n",
    "MATCH (n) SET n = {}",
    "MATCH (n) SET n += $p",
    "MATCH (n) REMOVE n:X",
    "MATCH (n) NODETACH DELETE n",
    "OPTIONAL CALL { CREATE (n) }",
    "RETURN 1 NEXT CREATE (n)",
    "DELETE FROM Entity",
    "INSERT INTO X SET a = 1",
    "UPDATE X SET a = 1",
    "SHOW INDEXES",
    "SHOW TRANSACTIONS",
    "SHOW SETTINGS",
    "ALTER DATABASE x SET ACCESS READ ONLY",
    "ENABLE SERVER 'x'",
    "DENY READ ON GRAPH x TO y",
    "REVOKE ROLE a FROM b",
    "START DATABASE x",
    "STOP DATABASE x",
    "RENAME USER a TO b",
    "DRYRUN REALLOCATE",
    "CREATE DATABASE x",
    "CREATE CONSTRAINT FOR (n:X) REQUIRE n.k IS UNIQUE",
    "DROP CONSTRAINT x",
    "CREATE FULLTEXT INDEX x FOR (n:X) ON EACH [n.a]",
    "CREATE VECTOR INDEX x FOR (n:X) ON (n.a)",
    "CREATE ALIAS x FOR DATABASE y",
    'LOAD CSV FROM "file:///x" AS l CREATE (n)',
    "load csv with headers from 'http://127.0.0.1' as l return l",
    "/**/LOAD/**/CSV/**/FROM 'x' AS l RETURN l",
    "MATCH (n) LOAD CSV FROM 'x' AS l RETURN l",
    "`CREATE` (n)",
    "RETURN 1 /* /* */ CREATE (n) */",
    'RETURN "\'" CREATE (n) //\'"',
    "RETURN `a``b` CREATE (n)",
    "MATCH (n {x: 1}) CREATE (m)",
    "MATCH (n)CREATE(m)",
    "RETURN 1CREATE (n)",
    "MATCH (:SET) SET n.x=1",
    "RETURN {set: 1} SET n.x=1",
    "RETURN EXISTS { CREATE (n) }",
    "RETURN COLLECT { CREATE (n) RETURN n }",
    "RETURN COUNT { MERGE (n) }",
    "MATCH p = (a) CREATE p",
    "RETURN shortestPath(CREATE)",
    "CREATE UNIQUE (n)-[:X]->(m)",
    "CALL db.labels() YIELD label CREATE (n)",
    "MATCH (n) WHERE n.x = 1 OR (CREATE (m)) RETURN n",
    "USE graph.byName('x') MATCH (n) RETURN n",
    "SESSION SET VALUE $x = 1",
    "INSERT (:X)",
    "TERMINATE QUERY 'x'",
    "MATCH (n) ORDER BY n LIMIT 1 DELETE n",
    "FOREACH(x IN [1]|SET x.y=1)",
    "fOrEaCh (x in [1] | create (n))",
)
"""Statements and clauses that write, administer or read files, in every place and dress."""
CALLS = (
    "CALL sql('DELETE FROM V')",
    "CALL db.createLabel('X')",
    "CALL dbms.security.createUser('a','b')",
    "RETURN sql('x')",
    "RETURN n.CREATE (n)",
    "CALL apoc.periodic.iterate('a','b',{})",
    "RETURN apoc.util.sleep(1)",
    "CALL db.awaitIndexes()",
    "CALL dbms.killQuery('x')",
    "CALL algo.x()",
)
"""Procedures and functions that are not on the list."""
HIDDEN = (
    "RETURN [x IN [1] | CREATE (n)]",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SELECT FROM Entity",
    "g.V().drop()",
    "{ __schema { types } }",
    "C\\u0052EATE (n)",
    "CREATE\xa0(n)",
    "\ufeffCREATE (n)",
    "CREATE\x0b(n)",
    "CREATE\x85(n)",
    "\u200bCREATE (n)",
    "CRE\u200dATE (n)",
    "\uff23\uff32\uff25\uff21\uff34\uff25 (n)",
    "RETURN 1 //\u2028CREATE (n)",
    "RETURN 1 AS `x\\u0060 CREATE (n) //`",
    "RETURN 1.CREATE (n)",
    "RETURN 0xCREATE (n)",
    "RETURN $CREATE (n)",
    "CALL apoc.cypher.runWrite('CREATE (n)', {}) YIELD value RETURN value",
    "CALL apoc.export.csv.all('f',{})",
    "CALL db.index.fulltext.createNodeIndex('a',['b'],['c'])",
    "FINISH",
    "LIST QUERIES",
)
"""Texts that two lexers could read differently, and other languages that the engine speaks."""


@pytest.mark.parametrize("text", WRITES)
def test_what_writes_or_administers_is_refused(text: str) -> None:
    for variant in (text, text.upper(), f"\n/* a */ {text} // b"):
        with pytest.raises((ReadOnlyError, QuerySyntaxError)):
            check(variant)
    with pytest.raises(ReadOnlyError):
        check(text)


@pytest.mark.parametrize("text", CALLS)
def test_calls_that_are_not_listed_are_refused(text: str) -> None:
    with pytest.raises(UnsupportedQueryError):
        check(text)


@pytest.mark.parametrize("text", HIDDEN)
def test_what_could_be_read_in_two_ways_is_refused(text: str) -> None:
    with pytest.raises(QuerySyntaxError):
        check(text)
