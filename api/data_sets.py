"""Data sets by name: where the folder of a graph is found. Nothing is ever downloaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from api.settings import load_settings
from api.workspace import find_workspace
from kg.errors import MissingPartError

__all__ = ["DATA_SETS", "graph_folder"]

DATA_SETS: Mapping[str, str] = MappingProxyType(
    {
        "fb15k-237": "fb15k-237",
        "nell995": "nell995-betae",
        "wn18rr": "wn18rr",
        "db15k": "db15k",
        "mkg-w": "mkg-w",
    }
)
"""Names, and the folder of each below the data folder."""

_FILES = "train.tsv.gz, valid.tsv.gz and test.tsv.gz (head, relation, tail with tabs between)"


def graph_folder(given: str, *, working_folder: Path | None = None) -> Path:
    """Return the graph folder that a path or the name of a data set stands for.

    Args:
        given: A path, or one of `DATA_SETS`, looked for below the setting `data` (``UMBRA_DATA``).
            A folder of that name here wins.
        working_folder: Where ``umbra.toml`` is looked for.

    Raises:
        MissingPartError: There is no such folder; says which files to put where.

    Example:
        >>> import tempfile
        >>> place = tempfile.mkdtemp()
        >>> graph_folder(place) == Path(place)
        True
    """
    path = Path(given).expanduser()
    if path.is_dir():
        return path
    if given not in DATA_SETS:
        raise MissingPartError(
            f"no graph folder {given!r}",
            hint=f"name a folder with {_FILES}, or one of {', '.join(DATA_SETS)}",
        )
    data = load_settings(find_workspace(working_folder).settings).data
    if data is None:
        raise MissingPartError(
            f"where the data set {given!r} lies is not set",
            hint=f"set UMBRA_DATA to a folder that holds {DATA_SETS[given]}/ with {_FILES}",
        )
    found = data.expanduser() / DATA_SETS[given]
    if not found.is_dir():
        raise MissingPartError(
            f"the data set {given!r} is not there", where=str(found), hint=f"put {_FILES} there"
        )
    return found
