"""A model of relations on disk: arrays as safetensors, everything else as JSON; no pickle."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kg.described_arrays import DescribedArrays
from kg.errors import ForeignFileError
from scenes.epic.model import OpenModel
from scenes.relations.annotations import Vocabulary
from scenes.relations.context import ContextModel
from scenes.relations.model import RelationModel
from scenes.relations.network import NetworkModel
from scenes.relations.prior import PriorModel
from scenes.roles.learner import RoleModel

__all__ = ["MODELS", "load_relation_model", "save_relation_model"]

MODELS: dict[str, type[RelationModel]] = {
    model.kind: model for model in (PriorModel, NetworkModel, ContextModel, RoleModel, OpenModel)
}
"""The sorts of models that can be kept, by their names."""

_FILES = DescribedArrays(kind="model of relations", stem="relations", format=1)


def save_relation_model(model: RelationModel, folder: Path) -> None:
    """Write a model; an older one in the folder is replaced."""
    values = {
        "kind": model.kind,
        "objects": model.vocabulary.objects,
        "predicates": model.vocabulary.predicates,
        "settings": dict(model.settings()),
    }
    _FILES.write(folder, values, {n: np.asarray(one) for n, one in model.arrays().items()})


def load_relation_model(folder: Path) -> RelationModel:
    """Read a model that `save_relation_model` wrote.

    Raises:
        MissingPartError: There is none.
        ForeignFileError: The files are something else, or do not belong together.
        FormatVersionError: They are of another format.
    """
    values = _FILES.read(folder)
    with _FILES.opened(folder) as arrays:
        vocabulary = Vocabulary(tuple(values["objects"]), tuple(values["predicates"]))
        model = MODELS.get(values["kind"])
        if model is not None:
            return model.restored(vocabulary, values["settings"], arrays)
    raise ForeignFileError(
        f"a model of the unknown kind {values['kind']!r}",
        where=str(folder),
        hint=f"this version knows {', '.join(sorted(MODELS))}",
    )
