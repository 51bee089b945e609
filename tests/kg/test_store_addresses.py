"""What names a store and what does not, what opening one imports, and what its errors become."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import neo4j.exceptions
import pytest

from kg.backends import open_store
from kg.backends.translation import translate
from kg.errors import (
    EngineError,
    InputError,
    MissingPartError,
    QueryTimeoutError,
    ReadOnlyError,
    StoreError,
    StoreTransientError,
    StoreUnavailableError,
)


def test_the_contracts_do_not_import_the_driver() -> None:
    code = "import sys, kg.store, kg.model, kg.errors, kg.backends; print('neo4j' in sys.modules)"
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert output.stdout == "False\n"


def test_every_error_of_the_driver_is_translated() -> None:
    kinds = [
        kind
        for kind in vars(neo4j.exceptions).values()
        if inspect.isclass(kind)
        and issubclass(kind, neo4j.exceptions.Neo4jError | neo4j.exceptions.DriverError)
    ]
    assert len(kinds) > 20
    for kind in kinds:
        if kind.__name__ in ("ResultFailedError", "ResultConsumedError", "ResultNotSingleError"):
            continue  # their constructors want a result; the base class stands for them
        assert isinstance(translate(kind("planted")), EngineError)


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("Neo.ClientError.Statement.SyntaxError", EngineError),
        ("Neo.TransientError.Transaction.DeadlockDetected", StoreTransientError),
        ("Neo.ClientError.Security.Forbidden", ReadOnlyError),
        ("Neo.ClientError.Security.Unauthorized", StoreUnavailableError),
        ("Neo.ClientError.Transaction.TransactionTimedOut", QueryTimeoutError),
        ("Neo.ClientError.Statement.ParameterMissing", InputError),
        ("Neo.DatabaseError.General.UnknownError", StoreError),
    ],
)
def test_codes_decide(code: str, wanted: type[EngineError]) -> None:
    error = neo4j.exceptions.Neo4jError._hydrate_neo4j(code=code, message="planted")
    assert isinstance(translate(error), wanted)


def test_addresses_that_are_no_store(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="http"):
        open_store("http://localhost")
    with pytest.raises(StoreUnavailableError):
        open_store("bolt://127.0.0.1:1", auth=("a", "b"))
    with pytest.raises(InputError):
        open_store(tmp_path / "graph", database="a`b")
    with pytest.raises(MissingPartError), open_store("memory:") as store:
        store.query("RETURN 1")
