"""The pure function of a linking job's shards, and how long one may take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kg.errors import JobError, MissingPartError
from kg.formats.tables import TableFiles
from kg.image_fetching import AllowedHosts, ImageFetcher
from kg.image_sources import ImageSources
from kg.store import Store
from linkers.link_edges import EdgeWriter
from linkers.pictures import MentionPictures
from linkers.protocols import MentionLinker
from linkers.shards import ShardLinker

if TYPE_CHECKING:
    from linkers.pipeline import LinkTask

__all__ = ["lease_seconds", "shard_function"]

_LEASE_S = 300.0
_FETCH_S = 3.0  # a picture that is waited for, eight at the same time


def shard_function(
    linker: MentionLinker, task: LinkTask, *, fingerprint: str, store: Store | None = None
) -> ShardLinker:
    """Return the pure function of a job's shards.

    Args:
        linker: Does the work.
        task: What was submitted.
        fingerprint: Of the linker that the job was submitted for.
        store: Where edges go, if the task makes any.

    Raises:
        JobError: The linker is another one.
        MissingPartError: Edges are to be written, and there is no store.
    """
    if fingerprint != linker.fingerprint:
        raise JobError(
            "the graph or its linker was changed since the job was submitted",
            hint="run the same command again: it is a new job",
        )
    if task.edges is not None and store is None:
        raise MissingPartError("no store to write edges into")
    return ShardLinker(
        linker,
        TableFiles.of(task.mentions),
        task.columns,
        pictures=_pictures(linker, task),
        edges=EdgeWriter(store, task.edges, task.columns.document)
        if store and task.edges
        else None,
    )


def lease_seconds(task: LinkTask) -> float:
    """Return after how many seconds a shard is free again; pictures may have to be waited for."""
    return _LEASE_S + (_FETCH_S * task.shard_rows if task.allow_hosts else 0)


def _pictures(linker: MentionLinker, task: LinkTask) -> MentionPictures | None:
    """Return what opens the pictures that rows name, unless the linker has a source of its own."""
    if task.columns.image is None or linker.pixels is not None or not linker.reads_pictures:
        return None
    root = task.mentions if task.mentions.is_dir() else task.mentions.parent
    hosts = AllowedHosts(task.allow_hosts)
    fetcher = ImageFetcher(hosts) if hosts.names else None
    return MentionPictures(ImageSources(root, fetcher=fetcher))
