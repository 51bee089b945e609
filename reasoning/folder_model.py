"""The default model of a graph folder: an embedding, path rules, and their calibrated ensemble.

A folder holds ``model.json`` (what it is of, settings, fingerprints; written last), one checkpoint
folder for each part, and ``answers.json``, from scores of answers to probabilities. All are bound to the training edges by their hash. Training goes
on where it was: each finished part is kept, and the embedding after every few epochs.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kg.errors import (
    CheckpointMismatchError,
    ConflictError,
    ForeignFileError,
    InputError,
    MissingPartError,
)
from kg.files import read_json, write_json
from kg.graph_folder import GraphFolder
from kg.progress import Progress, silent
from kg.snapshot import Snapshot
from reasoning.folder_model_config import FolderModelConfig

if TYPE_CHECKING:
    from reasoning.answer_calibration import AnswerCalibration
    from reasoning.predictors.embeddings import EmbeddingModel
    from reasoning.predictors.ensemble import EnsemblePredictor
    from reasoning.predictors.rules import RuleSet
    from reasoning.protocols import ScoreModel
    from reasoning.symbolic.answerer import SymbolicAnswerer

__all__ = ["FolderModel", "load_folder_model", "train_folder_model"]

Bars = Callable[[str, str], Progress]
"""Given a title and a unit, returns what is told how far that work has come."""

FORMAT = 1
HEAD = "model.json"
ANSWERS = "answers.json"
_PLAN = "unfinished/plan.json"
_CALIBRATION_QUERIES = 150
"""Validation queries of a structure that probabilities of answers are fitted on."""


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
        answering = repr((self.config.answering, self.calibration))
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


def train_folder_model(
    graph: GraphFolder,
    folder: Path,
    *,
    config: FolderModelConfig | None = None,
    seed: int = 0,
    bars: Bars = lambda _title, _unit: silent,
) -> FolderModel:
    """Train on the training edges, stop and calibrate by the validation edges; never see the test.

    Args:
        graph: With validation edges.
        folder: Where the model goes. What is there of the same graph, settings and seed is taken
            up: a finished model is only opened.
        config: Settings; those for the graph's size by default.
        seed: Everything random follows from it.
        bars: Opens a bar for each part.

    Raises:
        MissingPartError: The graph has no validation edges.
        ConflictError: Another model stands in the folder.
    """
    chosen = config or FolderModelConfig.for_graph(graph.full.num_entities, graph.train.num_edges)
    if not len(graph.edges("valid")):
        raise MissingPartError(
            "no validation edges",
            where=str(graph.path),
            hint="training stops and calibrates by valid.tsv.gz; put some edges there",
        )
    training = _Training(graph, folder, chosen, seed, bars)
    if not (folder / HEAD).exists():
        training.run()
    model = load_folder_model(folder, graph.train)
    if model.manifest["plan"] != training.plan:
        raise _conflict(folder)
    return model


def _conflict(folder: Path) -> ConflictError:
    return ConflictError(
        "a model of another graph, seed or other settings",
        where=str(folder),
        hint="name another --out, or delete the folder",
    )


def load_folder_model(folder: Path, snapshot: Snapshot) -> FolderModel:
    """Open a model.

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
    calibration = None
    if (folder / ANSWERS).is_file():
        path = folder / ANSWERS
        calibration = AnswerCalibration.load(path, fingerprint=predictor.fingerprint)
    return FolderModel(
        snapshot=snapshot,
        predictor=predictor,
        rules=rules,
        config=config,
        manifest=manifest,
        calibration=calibration,
    )


@dataclass(slots=True)
class _Training:
    """One training; parts in their order, what is done is left as it is."""

    graph: GraphFolder
    folder: Path
    config: FolderModelConfig
    seed: int
    bars: Bars
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def plan(self) -> dict[str, Any]:
        """What makes two trainings the same."""
        return {
            "snapshot": self.graph.train.hash,
            "graph": self.graph.full.hash,
            "config": self.config.to_json(),
            "seed": self.seed,
        }

    def run(self) -> None:
        """Train what is missing and write the manifest."""
        self._take_up()
        embedding = self._part("embedding", self._embedding)
        rules = self._part("rules", self._rules)
        ensemble = self._part("ensemble", lambda: self._ensemble(embedding, rules))
        self._part("answers", lambda: self._answers(ensemble))
        write_json(
            self.folder / HEAD,
            {
                "format": FORMAT,
                "plan": self.plan,
                "entities": self.graph.full.num_entities,
                "relations": self.graph.full.num_relations,
                "edges": {name: len(self.graph.edges(name)) for name in ("train", "valid")},
                "repeated": dict(self.graph.repeated),
                "fingerprint": ensemble.fingerprint,
                "rules": len(rules),
                "seconds": self.seconds,
            },
        )
        shutil.rmtree(self.folder / "unfinished", ignore_errors=True)

    def _take_up(self) -> None:
        """Go on with an unfinished training of the same plan, or begin one."""
        path = self.folder / _PLAN
        if not path.exists():
            write_json(path, {"format": FORMAT, "plan": self.plan, "seconds": {}})
            return
        begun = read_json(path, kind="plan of a training", formats=(FORMAT,))
        if begun.get("plan") != self.plan:
            raise _conflict(self.folder)
        self.seconds.update(begun.get("seconds", {}))

    def _part(self, name: str, made: Callable[[], Any]) -> Any:
        """Make a part unless it is done; how long it took is kept beside the plan."""
        started = time.monotonic()
        part = made()
        if name not in self.seconds:
            self.seconds[name] = round(time.monotonic() - started, 1)
            stamp = {"format": FORMAT, "plan": self.plan, "seconds": self.seconds}
            write_json(self.folder / _PLAN, stamp)
        return part

    def _embedding(self) -> EmbeddingModel:
        from reasoning.predictors.embeddings import EmbeddingModel, train_embedding

        place = self.folder / "embedding"
        if "embedding" not in self.seconds:
            model = train_embedding(
                self.graph.train,
                self.config.embedding,
                valid=self.graph.edges("valid"),
                seed=self.seed,
                progress=self.bars("training the embedding", "epochs"),
                resume_folder=self.folder / "unfinished" / "embedding",
            )
            model.save(place, self.graph.train)
        return EmbeddingModel.load(place, self.graph.train)

    def _rules(self) -> RuleSet:
        from reasoning.predictors.rules import RuleSet, mine_rules

        place = self.folder / "rules"
        if "rules" not in self.seconds:
            bar = self.bars("mining rules", "relations")
            mine_rules(self.graph.train, self.config.rules, seed=self.seed, progress=bar).save(
                place
            )
        return RuleSet.load(place, self.graph.train)

    def _ensemble(self, embedding: EmbeddingModel, rules: RuleSet) -> EnsemblePredictor:
        from reasoning.predictors.ensemble import EnsemblePredictor, fit_ensemble

        place = self.folder / "ensemble"
        models: list[ScoreModel] = [embedding, rules]
        if "ensemble" not in self.seconds:
            fit_ensemble(
                self.graph.train,
                self.graph.edges("valid"),
                models,
                self.config.ensemble,
                seed=self.seed,
                progress=self.bars("calibrating", "rows"),
            ).save(place)
        return EnsemblePredictor.load(place, self.graph.train, models)

    def _answers(self, ensemble: EnsemblePredictor) -> None:
        from reasoning.answer_calibration import fit_answer_calibration
        from reasoning.judged_answers import judged_answers, validation_queries
        from reasoning.symbolic.answerer import SymbolicAnswerer

        if "answers" in self.seconds:
            return
        train = self.graph.train
        answerer = SymbolicAnswerer(train, ensemble, self.config.answering)
        asked = validation_queries(
            train, self.graph.train_valid, _CALIBRATION_QUERIES, seed=self.seed
        )
        bar = self.bars("calibrating answers", "queries")
        judged = judged_answers(answerer, asked, train, progress=bar)
        # a small graph has too few answers to learn from: scores are shown as they are
        with suppress(InputError):
            calibration = fit_answer_calibration(judged)
            calibration.save(self.folder / ANSWERS, fingerprint=ensemble.fingerprint)
