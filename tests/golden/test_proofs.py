"""A proof is written as it always was; a wanted change is made by `tests.golden.proofs.make`."""

import pytest

from tests.golden.proofs.make import PLACES, files


@pytest.mark.parametrize("name", PLACES)
def test_a_proof_is_written_as_it_was(name):
    assert files()[name] == (PLACES[name] / name).read_bytes()
