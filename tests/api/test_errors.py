"""The error table is complete, its slugs are distinct, and problems say what the errors say."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping

import pytest

import kg.errors
from api.errors import (
    EXIT_INTERRUPTED,
    HTTP_PROBLEMS,
    OUTCOMES,
    TYPE_PREFIX,
    HttpProblem,
    Outcome,
    exit_code,
    outcome_of,
    problem_of,
)
from kg.errors import (
    CheckpointMismatchError,
    EngineError,
    ForeignFileError,
    QuerySyntaxError,
    ReadOnlyError,
    StoreUnavailableError,
    UnknownEntityError,
)


def _subclasses(kind: type[EngineError]) -> Iterator[type[EngineError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _subclasses(child)


def _unmapped(table: Mapping[type[EngineError], Outcome]) -> list[str]:
    """Public engine errors without a row of their own."""
    public = {EngineError, *(c for c in _subclasses(EngineError) if not c.__name__.startswith("_"))}
    of_ours = {kind for kind in public if kind.__module__ == "kg.errors"}
    return sorted(kind.__name__ for kind in of_ours if kind not in table)


def test_every_error_has_a_row() -> None:
    assert _unmapped(OUTCOMES) == []
    exported = {getattr(kg.errors, name) for name in kg.errors.__all__}
    assert exported == set(OUTCOMES)


def test_the_test_for_rows_bites() -> None:
    planted = {kind: row for kind, row in OUTCOMES.items() if kind is not ReadOnlyError}
    assert _unmapped(planted) == ["ReadOnlyError"]


def test_slugs_are_distinct() -> None:
    slugs = [kind.slug for kind in OUTCOMES] + list(HTTP_PROBLEMS)
    assert len(slugs) == len(set(slugs))


@pytest.mark.parametrize("outcome", [*OUTCOMES.values(), *HTTP_PROBLEMS.values()])
def test_statuses_and_codes_are_sane(outcome: Outcome) -> None:
    assert 400 <= outcome.status < 600
    assert 1 <= outcome.exit_code <= 5
    assert outcome.title
    assert (outcome.retry_after_s is None) or outcome.status in (429, 503)


def test_a_subclass_without_a_row_takes_its_ancestors() -> None:
    class LocalError(ReadOnlyError):
        slug = "local"

    assert outcome_of(LocalError("no")) == OUTCOMES[ReadOnlyError]


def test_refused_cypher_exits_with_two() -> None:
    assert exit_code(ReadOnlyError("CREATE would write")) == 2
    assert exit_code(QuerySyntaxError("unexpected ')'", position=3)) == 2
    assert exit_code(KeyboardInterrupt()) == EXIT_INTERRUPTED
    assert exit_code(ZeroDivisionError()) == 1


def test_a_problem_carries_the_position() -> None:
    problem = problem_of(QuerySyntaxError("unexpected ')'", position=17, line=2, column=4))
    assert problem["type"] == TYPE_PREFIX + "query-syntax"
    assert (problem["position"], problem["line"], problem["column"]) == (17, 2, 4)
    assert problem["detail"] == "unexpected ')', in line 2, column 4"
    assert "hint" not in problem


def test_a_problem_names_what_is_near() -> None:
    problem = problem_of(UnknownEntityError("country:Al", nearest=("country:AL",)))
    assert problem["status"] == 404
    assert problem["nearest"] == ("country:AL",)
    assert "country:AL" in problem["hint"]
    assert problem_of(CheckpointMismatchError(trained_on="a", asked_for="b"))["trained_on"] == "a"


def test_files_of_the_server_stay_inside() -> None:
    error = ForeignFileError("not a snapshot", where="/srv/private/graph")
    assert "/srv/private" not in str(problem_of(error))
    assert problem_of(StoreUnavailableError("down"))["retry_after_seconds"] > 0


def test_http_problems_come_from_the_same_table() -> None:
    problem = problem_of(HttpProblem("unknown-job", "no job 'x'", hint="list them", job="x"))
    assert problem["status"] == 404
    assert problem["type"] == "urn:umbra:problem:unknown-job"
    assert problem["job"] == "x"


def test_the_table_is_cheap_to_import() -> None:
    code = (
        "import sys, api.errors; "
        "sys.exit(any(m in sys.modules for m in ('fastapi','numpy','torch','neo4j','pydantic')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
