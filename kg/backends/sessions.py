"""Sessions and transactions of the Bolt driver that an interrupt can end at any moment.

The driver reads what is left of an answer before it lets a session go. Ctrl+C within a message
takes bytes away that never come again, and the driver would wait for them without end. So a
connection that was interrupted is cut, which is what the driver does for a cancelled task.
"""

from __future__ import annotations

import sys
from asyncio import CancelledError
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from kg.interrupts import interrupt_behind

if TYPE_CHECKING:
    from neo4j import Driver, Session, Transaction

__all__ = ["session_of", "transaction_of"]


@contextmanager
def session_of(driver: Driver, **options: Any) -> Iterator[Session]:
    """Open a session as `neo4j.Driver.session` does; an interrupt cuts its connection.

    Args:
        driver: Whose connections it borrows.
        options: Of the session.
    """
    with driver.session(**options) as session:
        try:
            yield session
        except BaseException as error:
            if interrupt_behind(error) is not None:
                _cut(session)
            raise


@contextmanager
def transaction_of(session: Session) -> Iterator[Transaction]:
    """Begin a transaction, rolled back unless it is committed; an interrupt cuts its connection.

    That it begins is sent together with its first statement, as the driver itself does in
    `neo4j.Driver.execute_query`: a round trip less.

    Args:
        session: One of `session_of`.
    """
    with getattr(session, "_pipelined_begin", nullcontext()):
        transaction = session.begin_transaction()
    _cut_within_commit(session, transaction)
    try:
        yield transaction
    except BaseException as error:
        if interrupt_behind(error) is not None:
            _cut(session)  # the server rolls back what its client has left
        else:
            transaction.close()
        raise
    else:
        transaction.close()


def _cut_within_commit(session: Session, transaction: Transaction) -> None:
    """Have an interrupt within a commit or rollback cut the connection.

    There the driver lets the connection go before anyone else hears of the interrupt, and it would
    read the rest of the answer first.
    """
    closed = transaction._on_closed  # noqa: SLF001 - the driver has no other way to be told

    def on_closed() -> None:
        error = sys.exception()
        if error is not None and interrupt_behind(error) is not None:
            _cut(session)
        else:
            closed()

    transaction._on_closed = on_closed  # noqa: SLF001


def _cut(session: Session) -> None:
    session.__exit__(CancelledError, CancelledError(), None)  # type: ignore[no-untyped-call]
