"""Values of the single units of a run, kept beside its result for paired comparisons.

An ``.npz`` file of float32 arrays: one for each row of the comparison table whose units were
drawn together (``structure=2p mrr``), in the order of the units, and how totals are made of them.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kg.errors import ForeignFileError
from kg.files import atomic_write

__all__ = ["Units", "read_units", "units_path"]

_HEAD = "head"
_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Units:
    """The units of a run.

    Attributes:
        values: For each row of the table (split, blank, metric) the value of each unit.
        totals: For each row that is a mean of rows, these rows.
    """

    values: Mapping[str, NDArray[np.floating[Any]]] = field(repr=False)
    totals: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def strata(self, row: str) -> list[NDArray[np.floating[Any]]] | None:
        """Return the arrays whose means' mean is a row of the table; None where unknown."""
        names = (row,) if row in self.values else self.totals.get(row, ())
        found = [self.values[name] for name in names if name in self.values]
        return found if found and len(found) == len(names) else None

    def save(self, path: Path, *, inputs: Mapping[str, str]) -> None:
        """Write the file, atomically.

        Args:
            path: Ends in ``.npz``.
            inputs: Of the run (`RunResult.inputs`); they tie the file to it.
        """
        totals = {name: list(rows) for name, rows in self.totals.items()}
        head = json.dumps({"format": _FORMAT, "inputs": dict(inputs), "totals": totals})
        arrays = {name: np.asarray(one, dtype=np.float32) for name, one in self.values.items()}
        with atomic_write(path) as file:
            np.savez_compressed(file, **{_HEAD: np.array(head)}, **arrays)  # type: ignore[arg-type]


def units_path(result: Path) -> Path:
    """Return where the units of a result file lie: ``run.json`` → ``run.units.npz``."""
    return result.with_name(f"{result.stem}.units.npz")


def read_units(path: Path, *, inputs: Mapping[str, str]) -> Units | None:
    """Read the units of a run; None where there are none.

    Args:
        path: What `Units.save` wrote.
        inputs: Of the run that they should belong to.

    Raises:
        ForeignFileError: The file is no such file, or belongs to another run.
    """
    if not path.exists():
        return None
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
            head = json.loads(str(stored[_HEAD]))
            values = {name: stored[name] for name in stored.files if name != _HEAD}
        totals = {str(name): tuple(map(str, rows)) for name, rows in head["totals"].items()}
        owner = head["inputs"]
    except (KeyError, ValueError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise ForeignFileError("not the units of a run", where=str(path)) from error
    if owner != dict(inputs):
        raise ForeignFileError(
            "units of another run", where=str(path), hint="move the file away or run it again"
        )
    return Units(values=values, totals=totals)
