"""Backups: the graph, its images and people's decisions in one file that any store can take.

A zip archive of open formats: ``graph.jsonl`` (`kg.graph_formats`), ``images/SHA256``, further
files under ``files/``, and ``manifest.json`` with the counts and hashes that a restore checks
before the first row is written. What is made from these (snapshots, models, indexes) is not in it.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from kg.errors import ForeignFileError, FormatVersionError, InputError
from kg.files import atomic_write, sha256_of_file
from kg.graph_formats.lines import graph_lines
from kg.graph_formats.protocol import Tally
from kg.images import ImageFolder
from kg.model import Entity
from kg.progress import Progress, silent
from kg.store import Store

__all__ = ["FORMAT", "Manifest", "unpack_backup", "write_backup"]

FORMAT = 1
_GRAPH, _MANIFEST, _IMAGES, _FILES = "graph.jsonl", "manifest.json", "images/", "files/"
_MOST_MANIFEST_BYTES = 2**20
_BLOCK = 2**20
_HINT = "take another backup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup holds.

    Attributes:
        format: Number of the format.
        store_version: Change counter of the store that it was taken of.
        entities: How many.
        edges: How many.
        images: How many.
        graph_bytes: Size of the graph as JSON lines.
        graph_sha256: Their hash.
        files: Hashes of further files by name.
    """

    format: int
    store_version: int
    entities: int
    edges: int
    images: int
    graph_bytes: int
    graph_sha256: str
    files: Mapping[str, str]


def write_backup(
    store: Store,
    images: ImageFolder,
    path: Path,
    *,
    files: Mapping[str, Path] | None = None,
    progress: Progress = silent,
) -> Manifest:
    """Write a backup, which appears only when it is whole; writers wait until the graph is read.

    Args:
        store: The graph; it may be in use.
        images: Where its images lie.
        path: The backup's file; one that is there is replaced at the end.
        files: Further files by the names that they get; one that does not exist is left out.
        progress: Told rows and images written, of 0.

    Raises:
        InputError: An image of the graph is missing: `umbra graph check` lists them.
    """
    with atomic_write(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        with store.transaction():  # which writes nothing: it keeps the other writers waiting
            version, tally = store.version, Tally(store, progress)
            size, digest, wanted = _write_graph(archive, tally)
        _write_images(archive, images, wanted)
        kept = {name: one for name, one in (files or {}).items() if one.is_file()}
        for name, one in kept.items():
            archive.write(one, _FILES + name)
        manifest = Manifest(
            format=FORMAT,
            store_version=version,
            entities=tally.written.entities,
            edges=tally.written.edges,
            images=len(wanted),
            graph_bytes=size,
            graph_sha256=digest,
            files={name: sha256_of_file(one) for name, one in kept.items()},
        )
        archive.writestr(_MANIFEST, json.dumps(asdict(manifest), sort_keys=True))
    return manifest


def _write_graph(archive: zipfile.ZipFile, tally: Tally) -> tuple[int, str, set[str]]:
    """Write the graph; return its size, its hash, and the hashes of its images."""
    digest, size, wanted = hashlib.sha256(), 0, set[str]()

    def noted(entity: Entity) -> None:
        wanted.update(image.sha256 for image in entity.images)

    with archive.open(_GRAPH, "w", force_zip64=True) as member:
        for line in graph_lines(tally, noted):
            digest.update(line)
            size += len(line)
            member.write(line)
    return size, digest.hexdigest(), wanted


def _write_images(archive: zipfile.ZipFile, images: ImageFolder, wanted: set[str]) -> None:
    for image in sorted(wanted):
        source = images.path(image)
        if not source.is_file():
            raise InputError(
                "an image of the graph is missing", where=str(source), hint="umbra graph check"
            )
        archive.write(source, _IMAGES + image, compress_type=zipfile.ZIP_STORED)


def unpack_backup(path: Path, images: ImageFolder, folder: Path) -> tuple[Manifest, Path]:
    """Check a backup and lay out what it holds; nothing is taken of one that is damaged.

    Args:
        path: The backup.
        images: Takes the images.
        folder: Takes ``graph.jsonl`` and the further files.

    Returns:
        What it holds, and where the graph lies now.

    Raises:
        ForeignFileError: It is no backup, or damaged.
        FormatVersionError: It has another format number.
    """
    with _opened(path) as archive:
        manifest = _manifest(archive, path)
        names = {info.filename for info in archive.infolist()}
        graph = folder / _GRAPH
        _extract(archive, _GRAPH, graph, manifest.graph_bytes, manifest.graph_sha256)
        for name, digest in manifest.files.items():
            size = archive.getinfo(_FILES + name).file_size
            _extract(archive, _FILES + name, folder / name, size, digest)
        found = sorted(name for name in names if name.startswith(_IMAGES))
        if len(found) != manifest.images:
            raise _damaged(path, f"{len(found)} images of {manifest.images}")
        for name in found:
            _take_image(archive, name, images, path)
    return manifest, graph


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except FileNotFoundError as error:
        raise InputError("no such file", where=str(path)) from error
    except IsADirectoryError as error:
        raise InputError("a folder, not a backup", where=str(path)) from error
    except (zipfile.BadZipFile, KeyError, EOFError, NotImplementedError) as error:
        raise _damaged(path, str(error)) from error


def _damaged(path: Path, what: str) -> ForeignFileError:
    return ForeignFileError(f"not a whole backup: {what}"[:300], where=str(path), hint=_HINT)


def _manifest(archive: zipfile.ZipFile, path: Path) -> Manifest:
    if archive.getinfo(_MANIFEST).file_size > _MOST_MANIFEST_BYTES:
        raise _damaged(path, "its manifest is too large")
    try:
        values: dict[str, Any] = json.loads(archive.read(_MANIFEST))
        if values.get("format") != FORMAT:
            raise FormatVersionError(
                f"a backup of format {values.get('format')!r}, this version reads {FORMAT}",
                where=str(path),
            )
        manifest = Manifest(**values)
    except (AttributeError, TypeError, ValueError) as error:
        raise _damaged(path, "its manifest cannot be read") from error
    kinds = {one.name: getattr(manifest, one.name) for one in fields(manifest)}
    whole = {name: value for name, value in kinds.items() if name not in ("graph_sha256", "files")}
    plain = isinstance(manifest.files, dict) and all(
        Path(name).name == name and isinstance(digest, str)
        for name, digest in manifest.files.items()
    )
    if not plain or not all(type(value) is int and value >= 0 for value in whole.values()):
        raise _damaged(path, "its manifest says something else than it should")
    return manifest


def _extract(archive: zipfile.ZipFile, name: str, to: Path, size: int, digest: str) -> None:
    """Write a member to a file, if it has this size and hash; no byte more is unpacked."""
    found, left = hashlib.sha256(), size
    with archive.open(name) as member, atomic_write(to) as file:
        while block := member.read(min(_BLOCK, left + 1)):
            left -= len(block)
            if left < 0:
                break
            found.update(block)
            file.write(block)
        if left or found.hexdigest() != digest:
            raise _damaged(Path(archive.filename or ""), f"{name} has another content")


def _take_image(archive: zipfile.ZipFile, name: str, images: ImageFolder, path: Path) -> None:
    digest = name.removeprefix(_IMAGES)
    if archive.getinfo(name).file_size > images.max_bytes:
        raise _damaged(path, f"{name} is too large")
    with archive.open(name) as member:
        content = member.read(images.max_bytes + 1)
    if hashlib.sha256(content).hexdigest() != digest:
        raise _damaged(path, f"{name} has another content")
    images.add(content)
