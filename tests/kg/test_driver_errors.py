"""What comes out of a block that talks to a driver."""

from __future__ import annotations

import pytest

from kg.backends.translation import translated
from kg.interrupts import interrupt_behind


def closing_fails() -> None:
    """Be interrupted within a message, as the driver is; its connection then cannot be closed."""
    try:
        raise KeyboardInterrupt
    finally:
        raise BufferError


def test_an_interrupt_is_not_hidden_by_a_connection_that_cannot_close() -> None:
    with pytest.raises(KeyboardInterrupt), translated():
        closing_fails()


def test_another_buffer_error_stays() -> None:
    with pytest.raises(BufferError), translated():
        raise BufferError


def test_an_interrupt_is_found_behind_an_error_that_it_caused() -> None:
    loading = ImportError("initialization failed")
    loading.__cause__ = KeyboardInterrupt("SIGTERM")
    assert interrupt_behind(loading) is loading.__cause__
    assert interrupt_behind(ImportError()) is None
