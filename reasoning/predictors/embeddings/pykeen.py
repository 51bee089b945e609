"""Models that PyKEEN trained, as raw scores over a snapshot; PyKEEN is imported when one is used.

Ids are matched by names: PyKEEN numbers entities and relations by its triples factory, a snapshot
by sorted keys. A model file is read as tensors only (safetensors, or `torch.load` with
``weights_only=True``), since a pickle can run code.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from kg.errors import ForeignFileError, InputError, LimitError, MissingPartError
from kg.snapshot import Snapshot

if TYPE_CHECKING:
    from pykeen.models import Model
    from pykeen.triples import TriplesFactory

__all__ = ["PykeenConfig", "PykeenModel"]

MAX_BYTES = 8 * 2**30
"""Largest model file that is read."""


@dataclass(frozen=True, kw_only=True)
class PykeenConfig:
    """How to build the model that a state belongs to.

    Attributes:
        model: Name of the class in PyKEEN: ``DistMult``, ``RotatE`` …
        entities: Names in the order of PyKEEN's ids.
        relations: The same for relations, inverses not counted.
        inverse_triples: Whether it was trained with ``create_inverse_triples``.
        options: Keyword arguments of the class: ``{"embedding_dim": 200}``.
    """

    model: str
    entities: tuple[str, ...] = field(repr=False)
    relations: tuple[str, ...] = field(repr=False)
    inverse_triples: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls, model: str, triples_factory: TriplesFactory, options: Mapping[str, Any] | None = None
    ) -> PykeenConfig:
        """Take the names from the triples factory that a model was trained with."""
        return cls(
            model=model,
            entities=_in_order(triples_factory.entity_to_id),
            relations=_in_order(triples_factory.relation_to_id),
            inverse_triples=bool(triples_factory.create_inverse_triples),
            options=dict(options or {}),
        )


class PykeenModel:
    """A PyKEEN model over a snapshot; implements `reasoning.protocols.ScoreModel`.

    An entity that PyKEEN does not know scores below every one that it knows, and as a head scores
    all tails alike. Make it with `from_model` or `from_state`.

    Args:
        model: The model.
        entities: ``(num_entities,)`` PyKEEN's id of each entity of the snapshot, −1 for none.
        relations: ``(num_relations,)`` PyKEEN's ids.
    """

    def __init__(
        self, model: Model, entities: NDArray[np.int64], relations: NDArray[np.int64]
    ) -> None:
        self._model = model.eval()
        self._entities = entities
        self._relations = relations

    @classmethod
    def from_model(
        cls, model: Model, triples_factory: TriplesFactory, snapshot: Snapshot
    ) -> PykeenModel:
        """Use a model as `pykeen.pipeline` returns it.

        Args:
            model: The model.
            triples_factory: What it was trained with: names and their ids.
            snapshot: The graph that is to be scored; keys and relations are looked up by name.

        Raises:
            MissingPartError: PyKEEN is not installed.
            InputError: The model knows none of the entities, or not all relations.
        """
        _pykeen()
        entities = _in_order(triples_factory.entity_to_id)
        relations = _in_order(triples_factory.relation_to_id)
        return cls(model, *_matched(entities, relations, snapshot))

    @classmethod
    def from_state(cls, path: Path, config: PykeenConfig, snapshot: Snapshot) -> PykeenModel:
        """Read ``model.state_dict()`` as `torch.save` or safetensors wrote it.

        Args:
            path: A file ending in ``.safetensors``, or one of `torch.save`.
            config: Which model it is of, and the names of its rows.
            snapshot: The graph that is to be scored.

        Raises:
            MissingPartError: PyKEEN is not installed, or there is no such file.
            InputError: PyKEEN has no such model, or its names do not fit the graph.
            ForeignFileError: The file is damaged, holds more than tensors, or is of another model.
            LimitError: The file is larger than 8 GiB.
        """
        _pykeen()
        from pykeen.models import model_resolver
        from pykeen.triples import KGInfo

        matched = _matched(config.entities, config.relations, snapshot)
        sizes = KGInfo(
            num_entities=len(config.entities),
            num_relations=len(config.relations),
            create_inverse_triples=config.inverse_triples,
        )
        tensors = _read_tensors(path)
        try:
            made = model_resolver.lookup(config.model)
            model = made(triples_factory=sizes, random_seed=0, **config.options)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"PyKEEN cannot build {config.model!r} from its sizes alone: {error}",
                hint="give its options, or use PykeenModel.from_model",
            ) from error
        try:
            model.load_state_dict(tensors)
        except (RuntimeError, TypeError, AttributeError) as error:
            raise ForeignFileError(
                f"not the state of this {config.model}: {_first_difference(error)}",
                where=str(path),
                hint="give the options that it was trained with, such as embedding_dim, and the"
                " names of its own triples factory",
            ) from error
        return cls(model, *matched)

    @property
    def num_entities(self) -> int:
        """Number of entities that it scores."""
        return len(self._entities)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the class, all tensors and the matching of ids."""
        digest = hashlib.sha256(type(self._model).__name__.encode())
        for name, tensor in sorted(self._model.state_dict().items()):
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(tensor.detach().cpu().numpy()).data)
        digest.update(self._entities.tobytes() + self._relations.tobytes())
        return digest.hexdigest()

    def scores(
        self, entities: NDArray[np.int32], relation: int, *, inverse: bool = False
    ) -> NDArray[np.float32]:
        """Return ``(len(entities), num_entities)`` raw scores, higher is better, all finite.

        Args:
            entities: Heads; tails if `inverse`.
            relation: Relation id.
            inverse: Score heads of the given tails.

        Raises:
            InputError: The model gives a score that is not finite.
        """
        found = np.zeros((len(entities), self.num_entities), dtype=np.float32)
        known = np.flatnonzero(self._entities[entities] >= 0)
        if len(known) == 0:
            return found
        places = torch.from_numpy(self._entities[entities[known]])
        relations = torch.full_like(places, int(self._relations[relation]))
        with torch.no_grad():
            if inverse:
                scores = self._model.predict_h(torch.stack([relations, places], dim=1))
            else:
                scores = self._model.predict_t(torch.stack([places, relations], dim=1))
        rows = scores.detach().cpu().float().numpy()
        if not np.isfinite(rows).all():
            raise InputError("the model gives scores that are not finite", where="PyKEEN")
        columns = np.maximum(self._entities, 0)
        found[known] = rows[:, columns]
        absent = self._entities < 0
        if absent.any():
            lowest = rows.min(axis=1, keepdims=True)
            found[np.ix_(known, np.flatnonzero(absent))] = lowest - np.abs(lowest) - 1.0
        return found


def _pykeen() -> None:
    try:
        import pykeen  # noqa: F401
    except ImportError as error:
        raise MissingPartError(
            "PyKEEN is not installed", hint="pip install 'umbra-kg[pykeen]'"
        ) from error


def _in_order(ids: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(sorted(ids, key=lambda name: ids[name]))


def _matched(
    entities: Sequence[str], relations: Sequence[str], snapshot: Snapshot
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    place = {name: number for number, name in enumerate(entities)}
    found = np.array([place.get(key, -1) for key in snapshot.entities], dtype=np.int64)
    if len(found) and (found < 0).all():
        raise InputError(
            "the model knows none of the graph's entities",
            hint="its names must be the graph's keys; check the triples factory",
        )
    numbers = {name: number for number, name in enumerate(relations)}
    missing = [name for name in snapshot.relation_names if name not in numbers]
    if missing:
        raise InputError(f"the model knows no relation {missing[0]!r}", where="PyKEEN")
    of_graph = [numbers[name] for name in snapshot.relation_names]
    return found, np.array(of_graph, dtype=np.int64)


def _read_tensors(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise MissingPartError("no model file", where=str(path))
    if path.stat().st_size > MAX_BYTES:
        raise LimitError(f"a model file larger than {MAX_BYTES} bytes", where=str(path))
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, ValueError, EOFError) as error:
        raise _foreign("a model file that is damaged or holds more than tensors", path) from error
    if not isinstance(loaded, Mapping) or not all(isinstance(name, str) for name in loaded):
        raise _foreign("a file without tensors by name", path)
    return dict(loaded)


def _first_difference(error: Exception) -> str:
    """Return what torch names first: a tensor that is missing, unexpected or of another size."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[min(1, len(lines) - 1)][:300] if lines else type(error).__name__


def _foreign(what: str, path: Path) -> ForeignFileError:
    return ForeignFileError(what, where=str(path), hint="save `model.state_dict()` again")
