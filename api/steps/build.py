"""The step that builds the graph from files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from kg.progress import Progress, silent

if TYPE_CHECKING:
    from api.engine import Engine
    from kg.import_sources import ImportSource

__all__ = ["build_graph", "dry_run_build", "estimate_build", "is_mapping"]


def build_graph(
    engine: Engine,
    path: Path,
    *,
    format_name: str | None = None,
    schema: Path | None = None,
    max_errors: int | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Import files into the engine's store; again on the same files: nothing.

    The file is looked at before the store is started: one that cannot be read costs nothing.
    Where a default model was trained, questions see at once what was added (`api.steps.fold_in`).

    Args:
        engine: Whose store and images to fill.
        path: A mapping (TOML, or a folder with ``graph.toml``), or a file of a whole graph.
        format_name: Name of the graph's format, if name and content do not tell it.
        schema: A schema that all rows must fit before any is written (`kg.schema`).
        max_errors: End after so many rejected rows.
        progress: Is told how many rows are done of how many.

    Returns:
        Counts of entities, edges, images, rejects, and where the rejects lie.

    Raises:
        MappingError: The mapping cannot be applied; nothing was written.
        RecordError: A file is missing or damaged, or tells no format.
        InputError: There is no format of that name, or rows do not fit the schema; nothing was
            written.
        JobError: There were more than `max_errors` rejects.
    """
    from api.steps.fold_in import freeze_growth
    from kg.graph_formats import format_of
    from kg.importing import import_graph, import_mapping
    from kg.ledger import Ledger
    from kg.mapping import load_mapping
    from kg.schema import load_schema

    rules = None if schema is None else load_schema(schema)
    mapping = load_mapping(path) if format_name is None and is_mapping(path) else None
    form = format_of(path, format_name).name if mapping is None else None
    workspace = engine.workspace
    workspace.create()
    rejects = workspace.rejects / f"{path.stem}.jsonl"
    with Ledger(workspace.ledger) as ledger:
        if mapping is not None:
            report = import_mapping(
                engine.store,
                mapping,
                ledger=ledger,
                images=engine.images,
                rejects=rejects,
                schema=rules,
                max_errors=max_errors,
                progress=progress,
            )
        else:
            report = import_graph(
                engine.store,
                path,
                ledger=ledger,
                rejects=rejects,
                format_name=form,
                schema=rules,
                max_errors=max_errors,
                progress=progress,
            )
    freeze_growth(engine)
    step = f"build-{path.stem}"
    if report.skipped and workspace.step(step).exists():
        return workspace.recorded(step)
    with workspace.doing(step, str(report.jobs)) as outcome:
        outcome.update(asdict(report), rejects_file=str(rejects), seconds=round(report.seconds, 2))
    return outcome


def dry_run_build(
    engine: Engine,
    path: Path,
    *,
    format_name: str | None = None,
    schema: Path | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Say what `build_graph` would write and reject, and of which types; nothing is written.

    Args:
        engine: Whose graph may hold ends of the edges; none is made.
        path: A mapping, or a file of a whole graph.
        format_name: Name of the graph's format, if name and content do not tell it.
        schema: A schema; what does not fit it is among the rejects.
        progress: Is told how many rows are read of how many.

    Returns:
        Rows by label and by relation, attributes with the types of their values, how many rows
        would be rejected, and the first of these.

    Raises:
        MappingError: The mapping cannot be applied.
        RecordError: A file is missing or damaged, or tells no format.
        InputError: There is no format of that name.
    """
    from kg.backends.memory import MemoryStore
    from kg.import_dry_run import dry_run
    from kg.schema import load_schema

    rules = None if schema is None else load_schema(schema)
    store = engine.store if engine.workspace.folder.exists() else MemoryStore()
    with (
        TemporaryDirectory(prefix="umbra-dry-run-") as work,
        _opened(engine, path, Path(work), format_name) as source,
    ):
        found = dry_run(source, store, schema=rules, progress=progress)
    return {
        "entities": dict(found.entities),
        "keys": found.keys,
        "edges": dict(found.edges),
        "attributes": [asdict(one) for one in found.attributes.all()],
        "rejected": found.rejected,
        "rejects": [asdict(one) for one in found.rejects],
    }


@contextmanager
def _opened(
    engine: Engine, path: Path, work: Path, format_name: str | None
) -> Iterator[ImportSource]:
    from kg.graph_formats import opened_graph
    from kg.import_sources import mapping_source
    from kg.mapping import load_mapping

    if format_name is None and is_mapping(path):
        yield mapping_source(load_mapping(path), engine.images, keep=False)
        return
    with opened_graph(path, work, format_name) as source:
        yield source


def is_mapping(path: Path) -> bool:
    """Tell whether a path names a mapping, and not a file of a whole graph."""
    return path.suffix == ".toml" or (path.is_dir() and (path / "graph.toml").exists())


def estimate_build(mapping: Path) -> dict[str, Any]:
    """Say how many rows, seconds and megabytes a build would take, from a sample.

    Raises:
        InputError: The file is no mapping: what a whole graph would cost is not known.
    """
    from kg.errors import InputError
    from kg.importing import estimate_mapping

    if not is_mapping(mapping):
        raise InputError(
            "only the cost of a mapping can be told before",
            where=str(mapping),
            hint="build it; it can be stopped at any time and goes on where it was",
        )
    return asdict(estimate_mapping(mapping))
