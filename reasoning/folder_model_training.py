"""The training of the model of a graph folder, part by part; what is done is left as it is.

A part is done if it was made with today's settings from parts that still stand: with other settings
of answering, an unfinished training keeps its embedding.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kg.files import read_json, write_json
from kg.graph_folder import GraphFolder
from reasoning.folder_model import ANSWERS, FORMAT, HEAD, Bars, SideBySide, another_model
from reasoning.folder_model_config import FolderModelConfig
from reasoning.predictors.embeddings.config import ComplexConfig

if TYPE_CHECKING:
    from reasoning.predictors.embeddings import EmbeddingModel
    from reasoning.predictors.ensemble import EnsemblePredictor
    from reasoning.predictors.rules import RuleSet
    from reasoning.protocols import ScoreModel

__all__ = ["FolderTraining"]

_PLAN = "unfinished/plan.json"

_NEEDS = {
    "embedding": ("embedding",),
    "rules": ("rules",),
    "ensemble": ("embedding", "rules", "ensemble"),
    "answers": ("embedding", "rules", "ensemble", "answering", "answer_queries"),
}
"""The parts in their order, and the settings that each of them follows from."""


@dataclass(slots=True)
class FolderTraining:
    """One training."""

    graph: GraphFolder
    folder: Path
    config: FolderModelConfig
    seed: int
    bars: Bars
    side_by_side: SideBySide | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    broken_off: dict[str, float] = field(default_factory=dict)

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
        models: list[ScoreModel] = [embedding, rules]
        ensemble = self._part("ensemble", lambda: self._ensemble(models))
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
            self._keep_plan()
            return
        begun = read_json(path, kind="plan of a training", formats=(FORMAT,))
        before, now = begun.get("plan", {}), self.plan
        if any(before.get(key) != now[key] for key in now if key != "config"):
            raise another_model(self.folder)
        settings = before.get("config", {})
        for part, needs in _NEEDS.items():
            if all(settings.get(name) == now["config"][name] for name in needs):
                for times, found in ((self.seconds, "seconds"), (self.broken_off, "broken_off")):
                    if part in begun.get(found, {}):
                        times[part] = begun[found][part]
        self._keep_plan()

    def _keep_plan(self) -> None:
        times = {"seconds": self.seconds, "broken_off": self.broken_off}
        stamp = {"format": FORMAT, "plan": self.plan, **times}
        write_json(self.folder / _PLAN, stamp)

    def _part(self, name: str, made: Callable[[], Any]) -> Any:
        """Make a part unless it is done; how long it took, pieces added up, is kept."""
        started = time.monotonic()
        before = self.broken_off.get(name, 0.0)
        try:
            part = made()
        except BaseException:
            self.broken_off[name] = round(before + time.monotonic() - started, 1)
            self._keep_plan()
            raise
        if name not in self.seconds:
            self.seconds[name] = round(before + time.monotonic() - started, 1)
            self._keep_plan()
        return part

    def _embedding(self) -> EmbeddingModel:
        from reasoning.predictors.embeddings import EmbeddingModel, train_embedding
        from reasoning.predictors.embeddings.members import members_of

        place, state = self.folder / "embedding", self.folder / "unfinished" / "embedding"
        config = self.config.embedding
        if "embedding" not in self.seconds:
            if self.side_by_side is not None and isinstance(config, ComplexConfig):
                self.side_by_side(list(members_of(config, seed=self.seed, state=state)))
            model = train_embedding(
                self.graph.train,
                config,
                valid=self.graph.edges("valid"),
                seed=self.seed,
                progress=self.bars("training the embedding", "epochs"),
                resume_folder=state,
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

    def _ensemble(self, models: Sequence[ScoreModel]) -> EnsemblePredictor:
        from reasoning.predictors.ensemble import EnsemblePredictor, fit_ensemble

        place = self.folder / "ensemble"
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
        from reasoning.answer_calibration_fitting import half_of_validation, validation_answers
        from reasoning.symbolic.answerer import SymbolicAnswerer

        if "answers" in self.seconds:
            return
        found = validation_answers(
            SymbolicAnswerer(self.graph.train, ensemble, self.config.answering),
            self.graph.train,
            half_of_validation(self.graph, seed=self.seed),
            self.graph.train_valid,
            count=self.config.answer_queries,
            seed=self.seed,
            progress=self.bars("calibrating answers", "queries"),
        ).calibration()
        if found is not None:
            found.save(self.folder / ANSWERS, fingerprint=ensemble.fingerprint)
