"""The default model of a graph folder: an embedding, path rules, and their calibrated ensemble.

A folder holds ``model.json`` (what it is of, settings, fingerprints; written last), one checkpoint
folder for each part, and ``answers.json`` (from scores of answers to probabilities). All are bound
to the training edges by their hash. Training goes on where it was: each finished part is kept, and
the embedding after every few epochs.
"""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kg.config_fields import identity_text
from kg.errors import CheckpointMismatchError, ConflictError, ForeignFileError, MissingPartError
from kg.files import read_json
from kg.graph_folder import GraphFolder
from kg.progress import Progress, silent
from kg.snapshot import Snapshot
from reasoning.folder_model_config import FolderModelConfig

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from reasoning.answer_calibration import AnswerCalibration
    from reasoning.predictors.embeddings.members import Member
    from reasoning.predictors.ensemble import EnsemblePredictor
    from reasoning.predictors.rules import RuleSet
    from reasoning.symbolic.answerer import SymbolicAnswerer

__all__ = [
    "Bars",
    "FolderModel",
    "SideBySide",
    "another_model",
    "load_folder_model",
    "train_folder_model",
]

Bars = Callable[[str, str], Progress]
"""Given a title and a unit, returns what is told how far that work has come."""

SideBySide = Callable[["list[Member]"], None]
"""Trains the members of an embedding up to their kept states, as many at a time as it likes."""

FORMAT = 1
HEAD = "model.json"
ANSWERS = "answers.json"


@dataclass(frozen=True, kw_only=True, eq=False)
class FolderModel:
    """What answers over a graph folder.

    Attributes:
        snapshot: The training edges.
        predictor: The ensemble of embedding and rules.
        rules: Also the reasons behind predicted edges.
        config: Settings it was trained with.
        manifest: What ``model.json`` says.
        calibration: From scores of answers to probabilities; None where validation has too few
            answers to fit it.
    """

    snapshot: Snapshot
    predictor: EnsemblePredictor
    rules: RuleSet
    config: FolderModelConfig
    manifest: Mapping[str, Any] = field(repr=False)
    calibration: AnswerCalibration | None = field(default=None, repr=False)

    @property
    def fingerprint(self) -> str:
        """Hash of all parts and of how they answer."""
        answering = f"({identity_text(self.config.answering)}, {self.calibration!r})"
        return hashlib.sha256(f"{self.predictor.fingerprint} {answering}".encode()).hexdigest()

    def answerer(
        self, snapshot: Snapshot | None = None, *, row_folder: Path | None = None
    ) -> SymbolicAnswerer:
        """Return the answerer on the training edges, or on another graph of the same entities.

        Args:
            snapshot: Edges that count as known, for instance those of training and validation.
            row_folder: Where predicted rows are kept between processes.
        """
        from reasoning.symbolic.answerer import SymbolicAnswerer

        chosen = self.snapshot if snapshot is None else snapshot
        return SymbolicAnswerer(
            chosen,
            self.predictor,
            self.config.answering,
            row_folder=row_folder,
            calibration=self.calibration,
        )

    def on(
        self, graph: Snapshot, *, described: NDArray[np.float32] | None = None, seed: int = 0
    ) -> FolderModel:
        """Return this model on a graph that has grown since, without training.

        New entities and edges are folded in (`reasoning.fold_in`); calibrations stay. The result is
        not saved: train again when much is new.

        Args:
            graph: The training edges and what was added.
            described: ``(graph.num_entities, any)`` vectors of texts or pictures, for entities
                without edges; rows of zeros where there is none.
            seed: Of samples.
        """
        from reasoning.fold_in import fold_in_ensemble

        predictor = fold_in_ensemble(self.predictor, graph, described=described, seed=seed)
        return replace(self, snapshot=graph, predictor=predictor, rules=self.rules.on(graph))


def train_folder_model(
    graph: GraphFolder,
    folder: Path,
    *,
    config: FolderModelConfig | None = None,
    seed: int = 0,
    bars: Bars = lambda _title, _unit: silent,
    side_by_side: SideBySide | None = None,
) -> FolderModel:
    """Train on the training edges, stop and calibrate by the validation edges; never see the test.

    Args:
        graph: With validation edges.
        folder: Where the model goes. What is there of the same graph, settings and seed is taken
            up: a finished model is only opened.
        config: Settings; those for the graph's size by default.
        seed: Everything random follows from it.
        bars: Opens a bar for each part.
        side_by_side: Trains the members of an embedding of several; without it they are trained
            here, one after the other, with the same result on one thread.

    Raises:
        MissingPartError: The graph has no validation edges.
        ConflictError: Another model stands in the folder.
    """
    chosen = config or FolderModelConfig.for_graph(graph.full.num_entities, graph.train.num_edges)
    if not len(graph.edges("valid")):
        raise MissingPartError(
            "no validation edges",
            where=str(graph.path),
            hint="training stops and calibrates by valid.tsv.gz: move a tenth of train.tsv.gz "
            "there, chosen at random",
        )
    from reasoning.folder_model_training import FolderTraining

    training = FolderTraining(graph, folder, chosen, seed, bars, side_by_side)
    if not (folder / HEAD).exists():
        training.run()
    model = load_folder_model(folder, graph.train)
    if model.manifest["plan"] != training.plan:
        raise another_model(folder)
    return model


def another_model(folder: Path) -> ConflictError:
    """Return the error for a folder that holds a model of another plan."""
    return ConflictError(
        "a model of another graph, seed or other settings",
        where=str(folder),
        hint="name another --out, or delete the folder",
    )


def load_folder_model(folder: Path, snapshot: Snapshot) -> FolderModel:
    """Open a model.

    What the process holds by then is taken out of later garbage collections (`gc.freeze`): a full
    one would walk through all rules and libraries each time, 140 ms in the middle of a query.

    Args:
        folder: What `train_folder_model` wrote.
        snapshot: The training edges that it was trained on.

    Raises:
        MissingPartError: The folder holds no finished model.
        CheckpointMismatchError: It was trained on another graph; both hashes are named.
        ForeignFileError: A file is not ours or damaged.
        FormatVersionError: It has another format number.
    """
    from reasoning.answer_calibration import AnswerCalibration
    from reasoning.predictors.embeddings import EmbeddingModel
    from reasoning.predictors.ensemble import EnsemblePredictor
    from reasoning.predictors.rules import RuleSet

    if not (folder / HEAD).is_file():
        raise MissingPartError(
            "no trained model", where=str(folder), hint=f"umbra train FOLDER --out {folder}"
        )
    manifest = read_json(folder / HEAD, kind="model of a graph folder", formats=(FORMAT,))
    try:
        trained_on = str(manifest["plan"]["snapshot"])
        config = FolderModelConfig.from_json(manifest["plan"]["config"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ForeignFileError(
            f"not the model of a graph folder: {error}",
            where=str(folder / HEAD),
            hint="move it away and train again",
        ) from error
    if trained_on != snapshot.hash:
        raise CheckpointMismatchError(trained_on=trained_on, asked_for=snapshot.hash)
    embedding = EmbeddingModel.load(folder / "embedding", snapshot)
    rules = RuleSet.load(folder / "rules", snapshot)
    predictor = EnsemblePredictor.load(folder / "ensemble", snapshot, [embedding, rules])
    answers, calibration = folder / ANSWERS, None
    if answers.is_file():
        calibration = AnswerCalibration.load(answers, fingerprint=predictor.fingerprint)
    gc.freeze()
    return FolderModel(
        snapshot=snapshot,
        predictor=predictor,
        rules=rules,
        config=config,
        manifest=manifest,
        calibration=calibration,
    )
