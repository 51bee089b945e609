"""The working folder: where each thing lies, and which steps are done for which input."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kg.errors import ForeignFileError, MissingPartError
from kg.files import read_json, sha256_of_text, write_json

__all__ = ["Workspace", "find_workspace"]

FOLDER = ".umbra"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Workspace:
    """Paths below one working folder.

    Attributes:
        folder: The folder itself.
    """

    folder: Path

    @property
    def settings(self) -> Path:
        """The settings file."""
        return self.folder / "umbra.toml"

    @property
    def graph(self) -> Path:
        """The embedded store's folder."""
        return self.folder / "graph"

    @property
    def images(self) -> Path:
        """The content-addressed image folder."""
        return self.folder / "images"

    @property
    def ledger(self) -> Path:
        """The job ledger."""
        return self.folder / "jobs" / "ledger.sqlite"

    @property
    def review(self) -> Path:
        """The log of people's decisions on links."""
        return self.folder / "review" / "decisions.jsonl"

    @property
    def facts(self) -> Path:
        """The log of people's verdicts on single edges."""
        return self.folder / "review" / "facts.jsonl"

    @property
    def checks(self) -> Path:
        """Conflicts of texts and pictures that `umbra scenes check` found last."""
        return self.folder / "checks" / "texts.json"

    @property
    def keys(self) -> Path:
        """The keys of the REST API, as digests."""
        return self.folder / "access" / "keys.json"

    @property
    def bolt_login(self) -> Path:
        """User and password of `umbra serve --bolt`, for the owner's eyes."""
        return self.folder / "access" / "bolt.json"

    @property
    def audit(self) -> Path:
        """The log of changes asked for over REST."""
        return self.folder / "access" / "audit.jsonl"

    @property
    def replies(self) -> Path:
        """What was answered to requests with an idempotency key."""
        return self.folder / "access" / "replies"

    @property
    def edge_jobs(self) -> Path:
        """Which jobs have written edges from which table."""
        return self.folder / "jobs" / "edges"

    @property
    def outputs(self) -> Path:
        """Where jobs write."""
        return self.folder / "jobs" / "outputs"

    @property
    def rejects(self) -> Path:
        """Where rejected rows lie."""
        return self.folder / "rejects"

    @property
    def undone(self) -> Path:
        """What was taken back, in files that `umbra build` brings it back from."""
        return self.folder / "undone"

    @property
    def indexes(self) -> Path:
        """The encoders' vector cache."""
        return self.folder / "indexes"

    @property
    def words(self) -> Path:
        """Folder of the index of words."""
        return self.indexes / "full-text"

    def snapshot(self, name: str) -> Path:
        """Return the folder of a snapshot."""
        return self.folder / "snapshots" / name

    def model(self, snapshot: str, name: str) -> Path:
        """Return the folder of a model of a snapshot."""
        return self.folder / "models" / snapshot / name

    def step(self, name: str) -> Path:
        """Return the stamp of a step."""
        return self.folder / "steps" / f"{name}.json"

    def create(self) -> None:
        """Make the folder.

        Raises:
            ForeignFileError: Something else stands there.
        """
        if self.folder.exists() and not self.folder.is_dir():
            raise ForeignFileError(
                "a file stands where the working folder should be",
                where=str(self.folder),
                hint="move it away or name another folder with --folder",
            )
        self.folder.mkdir(parents=True, exist_ok=True)

    def require(self) -> None:
        """Make sure that there is a graph to read: reading makes none.

        Raises:
            MissingPartError: There is no working folder yet.
            ForeignFileError: Something else stands there.
        """
        if not self.folder.exists():
            raise MissingPartError(
                "no graph here", where=str(self.folder), hint="run `umbra demo` or `umbra build`"
            )
        self.create()

    def done(self, name: str, inputs: str) -> dict[str, Any] | None:
        """Return what a step recorded, if it was done for these very inputs."""
        if not self.step(name).exists():
            return None
        stamp = self._stamp(name)
        return dict(stamp["outcome"]) if stamp["inputs"] == inputs else None

    def recorded(self, name: str) -> dict[str, Any]:
        """Return what a step recorded, whatever its inputs.

        Raises:
            MissingPartError: The step was never done.
        """
        if not self.step(name).exists():
            raise MissingPartError(
                f"the step {name!r} has not been done", where=str(self.folder), hint="umbra demo"
            )
        return dict(self._stamp(name)["outcome"])

    def _stamp(self, name: str) -> dict[str, Any]:
        path = self.step(name)
        stamp = read_json(path, kind="stamp of a step", formats=(FORMAT,))
        if "inputs" not in stamp or not isinstance(stamp.get("outcome"), dict):
            raise ForeignFileError(
                "not a stamp of a step", where=str(path), hint="move the file away"
            )
        return stamp

    @contextmanager
    def doing(self, name: str, inputs: str) -> Iterator[dict[str, Any]]:
        """Run a step: what the block puts into the yielded dict is recorded when it ends well."""
        started = time.monotonic()
        outcome: dict[str, Any] = {}
        yield outcome
        outcome.setdefault("seconds", round(time.monotonic() - started, 2))
        write_json(self.step(name), {"format": FORMAT, "inputs": inputs, "outcome": outcome})
        # What is returned now and what a later run reads are the same plain values.
        outcome.update(self.recorded(name))


def inputs_hash(parts: Mapping[str, Any]) -> str:
    """Return one hash for all that a step depends on."""
    return sha256_of_text(repr(sorted(parts.items())))


def find_workspace(folder: Path | None = None) -> Workspace:
    """Return the working folder: the one named, ``UMBRA_FOLDER``, or the nearest ``.umbra``.

    Args:
        folder: A folder that wins over all.
    """
    named = folder or (Path(os.environ["UMBRA_FOLDER"]) if "UMBRA_FOLDER" in os.environ else None)
    if named is not None:
        return Workspace(named.expanduser().absolute())
    here = Path.cwd()
    for place in (here, *here.parents):
        if (place / FOLDER).is_dir():
            return Workspace(place / FOLDER)
    return Workspace(here / FOLDER)
