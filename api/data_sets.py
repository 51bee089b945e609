"""Data sets by name: where the folder of a graph is found. Nothing is ever downloaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from api.settings import load_settings
from api.workspace import find_workspace
from kg.errors import MissingPartError

__all__ = ["DATA_SETS", "DEMO", "DataSet", "graph_folder"]

DEMO = "demo"
"""The name of the working folder's own graph, split as `umbra demo` holds edges out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """A public data set.

    Attributes:
        name: As the field writes it; asked for in any case.
        folders: Names that its folder may have, in lower case.
        source: Where its files come from.
    """

    name: str
    folders: tuple[str, ...]
    source: str


DATA_SETS: Mapping[str, DataSet] = MappingProxyType(
    {
        one.name.lower(): one
        for one in (
            DataSet(
                name="FB15k-237",
                folders=("fb15k-237", "fb15k237"),
                source="github.com/thunlp/OpenKE, benchmarks/FB15K237",
            ),
            DataSet(
                name="NELL995",
                folders=("nell995", "nell995-betae", "nell-betae"),
                source="the data of BetaE (github.com/snap-stanford/KGReasoning)",
            ),
            DataSet(
                name="WN18RR",
                folders=("wn18rr",),
                source="github.com/thunlp/OpenKE, benchmarks/WN18RR",
            ),
            DataSet(
                name="DB15K",
                folders=("db15k",),
                source="github.com/zjukg/MyGO, data/DB15K",
            ),
            DataSet(
                name="MKG-W",
                folders=("mkg-w",),
                source="github.com/zjukg/MoMoK, datasets/MKG-W",
            ),
        )
    }
)
"""Public data sets by their name in lower case."""

_FILES = "train, valid and test (.tsv.gz, .tsv or .txt; or OpenKE's train2id.txt …)"


def graph_folder(given: str, *, working_folder: Path | None = None) -> Path:
    """Return the graph folder that a path or the name of a data set stands for.

    Args:
        given: A path, one of `DATA_SETS`, looked for below the setting `data` (``UMBRA_DATA``), or
            ``demo``. A folder of that name here wins.
        working_folder: Where ``umbra.toml`` and the demo's graph are looked for.

    Raises:
        MissingPartError: There is no such folder; says which files to put where, and whence.

    Example:
        >>> import tempfile
        >>> place = tempfile.mkdtemp()
        >>> graph_folder(place) == Path(place)
        True
    """
    path = Path(given).expanduser()
    if path.is_dir():
        return path
    if given.lower() == DEMO:
        from api.steps.demo_folder import demo_folder

        return demo_folder(find_workspace(working_folder))
    if given.lower() not in DATA_SETS:
        names = ", ".join(one.name for one in DATA_SETS.values())
        raise MissingPartError(
            f"no graph folder {given!r}",
            hint=f"name a folder with {_FILES}, or one of {names}, {DEMO}",
        )
    data_set = DATA_SETS[given.lower()]
    data = load_settings(find_workspace(working_folder).settings).data
    if data is None:
        raise MissingPartError(
            f"where the data set {data_set.name} lies is not set",
            hint=f"set UMBRA_DATA to a folder that holds {data_set.folders[0]}/ with {_FILES};"
            f" they come from {data_set.source}",
        )
    return _found(data_set, data.expanduser())


def _found(data_set: DataSet, data: Path) -> Path:
    there = sorted(data.iterdir()) if data.is_dir() else []
    for name in data_set.folders:
        for path in there:
            if path.name.lower() == name and path.is_dir():
                return path
    raise MissingPartError(
        f"the data set {data_set.name} is not there",
        where=str(data / data_set.folders[0]),
        hint=f"put {_FILES} there; they come from {data_set.source}",
    )
