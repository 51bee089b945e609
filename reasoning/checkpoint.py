"""Checkpoints: a folder with tensors (safetensors) and JSON metadata, bound to one snapshot.

``checkpoint.json`` names the tensor file and its hash and is written last, so that a kill at any
moment leaves either the old checkpoint whole or the new one. Nothing here reads a pickle.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from kg.errors import CheckpointMismatchError, ForeignFileError, LimitError, MissingPartError
from kg.files import atomic_write, read_json, write_json

__all__ = ["FORMAT", "Checkpoint", "load_checkpoint", "save_checkpoint"]

FORMAT = 1
MAX_BYTES = 8 * 2**30
"""Largest tensor file that is read."""

HEAD = "checkpoint.json"
PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt", ".joblib")


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """What a folder holds.

    Attributes:
        kind: Which model it is: ``link-predictor``, ``cone`` …
        snapshot_hash: Hash of the snapshot that it was trained on.
        fingerprint: Hex SHA-256 of the tensor file.
        tensors: Arrays by name.
        metadata: Configuration, vocabulary sizes, figures: plain JSON.
    """

    kind: str
    snapshot_hash: str
    fingerprint: str
    tensors: Mapping[str, NDArray[Any]] = field(repr=False)
    metadata: Mapping[str, Any] = field(repr=False)


def save_checkpoint(
    folder: Path,
    tensors: Mapping[str, NDArray[Any]],
    metadata: Mapping[str, Any],
    snapshot_hash: str,
    *,
    kind: str,
) -> str:
    """Write a checkpoint, atomically; an earlier one in the folder is replaced.

    Args:
        folder: Made if missing.
        tensors: Arrays by name; a torch tensor goes in as ``tensor.detach().cpu().numpy()``.
        metadata: JSON values; the same metadata and tensors give the same bytes.
        snapshot_hash: `Snapshot.hash` of what the model was trained on.
        kind: Which model it is.

    Returns:
        The fingerprint: hex SHA-256 of the tensor file.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = save_checkpoint(folder, {"a": np.ones(2)}, {"seed": 0}, "h" * 64, kind="demo")
        >>> load_checkpoint(folder, "h" * 64, kind="demo").metadata
        {'seed': 0}
    """
    # asarray and not ascontiguousarray, which makes a scalar a vector
    arrays = {name: np.asarray(tensors[name], order="C") for name in sorted(tensors)}
    data = save_tensors(arrays)
    fingerprint = hashlib.sha256(data).hexdigest()
    name = f"tensors-{fingerprint[:16]}.safetensors"
    with atomic_write(folder / name) as file:
        file.write(data)
    write_json(
        folder / HEAD,
        {
            "format": FORMAT,
            "kind": kind,
            "snapshot": snapshot_hash,
            "tensors": name,
            "sha256": fingerprint,
            "metadata": dict(metadata),
        },
    )
    for old in folder.glob("tensors-*.safetensors"):
        if old.name != name:
            old.unlink(missing_ok=True)
    return fingerprint


def load_checkpoint(folder: Path, snapshot_hash: str | None, *, kind: str) -> Checkpoint:
    """Read a checkpoint and check that it belongs to a snapshot.

    Args:
        folder: What `save_checkpoint` wrote.
        snapshot_hash: Hash of the snapshot that it is to be used with; None asks for no check
            (to look at a checkpoint, not to answer with it).
        kind: Which model it must be.

    Raises:
        MissingPartError: The folder holds none.
        CheckpointMismatchError: It was trained on another snapshot; both hashes are named.
        ForeignFileError: A file is not ours, a pickle, damaged, or another kind of model.
        FormatVersionError: It has another format number.
        LimitError: The tensor file is larger than 8 GiB.
    """
    head = _head(folder, kind)
    if snapshot_hash is not None and head["snapshot"] != snapshot_hash:
        raise CheckpointMismatchError(trained_on=str(head["snapshot"]), asked_for=snapshot_hash)
    path = _tensor_path(folder, head["tensors"])
    if path.stat().st_size > MAX_BYTES:
        raise LimitError(f"a tensor file larger than {MAX_BYTES} bytes", where=str(path))
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != head["sha256"]:
        raise _foreign("the tensors of a model do not agree with their hash", path)
    try:
        tensors = load_tensors(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise _foreign("not a safetensors file", path) from error
    return Checkpoint(
        kind=kind,
        snapshot_hash=str(head["snapshot"]),
        fingerprint=str(head["sha256"]),
        tensors=tensors,
        metadata=head["metadata"],
    )


def _head(folder: Path, kind: str) -> dict[str, Any]:
    path = folder / HEAD
    if not path.exists():
        pickles = sorted(p.name for p in folder.glob("*") if p.suffix in PICKLES)
        if pickles:
            raise _foreign("a pickled model, which is never read", folder / pickles[0])
        raise MissingPartError("no trained model", where=str(folder), hint="run `umbra train`")
    head = read_json(path, kind="checkpoint", formats=(FORMAT,))
    fields = (("snapshot", str), ("tensors", str), ("sha256", str), ("metadata", dict))
    if not all(isinstance(head.get(name), of) for name, of in fields):
        raise _foreign("not a checkpoint", path)
    if head.get("kind") != kind:
        raise _foreign(f"a model of kind {head.get('kind')!r}, not {kind!r}", path)
    return head


def _tensor_path(folder: Path, name: str) -> Path:
    # a name with a folder in it would let a foreign checkpoint read files elsewhere
    if Path(name).name != name or not name.endswith(".safetensors"):
        raise _foreign(f"a checkpoint that names {name!r} as its tensors", folder / HEAD)
    path = folder / name
    if not path.is_file() or path.is_symlink():
        raise _foreign("a checkpoint without its tensor file", path)
    return path


def _foreign(what: str, path: Path) -> ForeignFileError:
    return ForeignFileError(what, where=str(path), hint="move it away and run `umbra train`")
