"""PyKEEN's models give the same scores through the adapter as PyKEEN gives for single triples."""

from __future__ import annotations

import builtins
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from kg.errors import ForeignFileError, InputError, MissingPartError
from kg.model import Entity, EntityKey
from kg.snapshot import Snapshot, build_snapshot
from reasoning.predictors.embeddings.pykeen import PykeenConfig, PykeenModel
from tests.reasoning.predictor_world import edges_of

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")  # PyKEEN's import

TRIPLES = [("b", "likes", "a"), ("a", "likes", "c"), ("c", "eats", "b"), ("d", "eats", "a")]


def _graph(extra: tuple[str, ...] = ()) -> Snapshot:
    names = ("d", "c", "b", "a", *extra)
    entities = [Entity(key=EntityKey(key), label="Animal", name=key) for key in names]
    return build_snapshot(entities, edges_of(TRIPLES))


def _made(kind: str, inverse: bool = False, **options: Any) -> tuple[Any, Any]:
    pytest.importorskip("pykeen")
    from pykeen.models import model_resolver
    from pykeen.triples import TriplesFactory

    factory = TriplesFactory(
        mapped_triples=torch.tensor([[2, 1, 0], [0, 1, 3], [3, 0, 2], [1, 0, 0]]),
        entity_to_id={"a": 0, "d": 1, "b": 2, "c": 3},  # not the order of names
        relation_to_id={"likes": 1, "eats": 0},
        create_inverse_triples=inverse,
    )
    model = model_resolver.lookup(kind)(triples_factory=factory, random_seed=1, **options)
    return model.eval(), factory


@pytest.mark.parametrize("kind", ["DistMult", "RotatE"])
@pytest.mark.parametrize("inverse", [False, True])
def test_scores_are_those_of_single_triples(kind: str, inverse: bool) -> None:
    model, factory = _made(kind, inverse, embedding_dim=6)
    graph = _graph(("zebra",))
    ours = PykeenModel.from_model(model, factory, graph)
    assert ours.num_entities == 5
    ids = {name: factory.entity_to_id[name] for name in "abcd"}
    everyone = np.arange(5, dtype=np.int32)
    for name, number in factory.relation_to_id.items():
        relation = graph.relation_id(name)
        tails = ours.scores(everyone, relation)
        heads = ours.scores(everyone, relation, inverse=True)
        for head, h in ids.items():
            for tail, t in ids.items():
                triple = torch.tensor([[h, number, t]])
                expected = model.predict_hrt(triple).item()
                place = graph.entity_id(head), graph.entity_id(tail)
                assert tails[place] == pytest.approx(expected, rel=1e-4, abs=1e-5)
                if not inverse:  # else heads are scored by the inverse relation's own vector
                    assert heads[place[::-1]] == pytest.approx(expected, rel=1e-4, abs=1e-5)
        zebra = graph.entity_id("zebra")
        known = [graph.entity_id(key) for key in "abcd"]
        assert (tails[known, zebra] < tails[known][:, known].min(axis=1)).all()
        assert np.ptp(tails[zebra]) == 0.0
        assert np.isfinite(heads).all()


@pytest.mark.parametrize("ending", [".pt", ".safetensors"])
def test_a_state_on_disk_is_the_same_model(tmp_path: Path, ending: str) -> None:
    from safetensors.torch import save_file

    model, factory = _made("DistMult", embedding_dim=6)
    path = tmp_path / f"model{ending}"
    (torch.save if ending == ".pt" else save_file)(model.state_dict(), path)
    config = PykeenConfig.of("DistMult", factory, {"embedding_dim": 6})
    graph = _graph()
    read = PykeenModel.from_state(path, config, graph)
    assert read.fingerprint == PykeenModel.from_model(model, factory, graph).fingerprint
    other = PykeenConfig.of("DistMult", factory, {"embedding_dim": 7})
    with pytest.raises(ForeignFileError, match=r"not the state.*size mismatch.*\[4, 6\].*\[4, 7\]"):
        PykeenModel.from_state(path, other, graph)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ForeignFileError, match=path.name):
        PykeenModel.from_state(path, config, graph)
    with pytest.raises(InputError, match="NoSuchModel"):
        PykeenModel.from_state(
            _saved(model, tmp_path), PykeenConfig.of("NoSuchModel", factory), graph
        )


def _saved(model: Any, folder: Path) -> Path:
    torch.save(model.state_dict(), folder / "whole.pt")
    return folder / "whole.pt"


class _Code:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (os.environ["UMBRA_TEST_FOLDER"],)


def test_a_pickle_with_code_is_refused_and_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, factory = _made("DistMult", embedding_dim=6)
    monkeypatch.setenv("UMBRA_TEST_FOLDER", str(tmp_path / "run"))
    torch.save({"a": _Code()}, tmp_path / "hostile.pt")
    config = PykeenConfig.of("DistMult", factory, {"embedding_dim": 6})
    with pytest.raises(ForeignFileError, match=r"hostile\.pt"):
        PykeenModel.from_state(tmp_path / "hostile.pt", config, _graph())
    assert not (tmp_path / "run").exists()


def test_names_that_do_not_fit_are_told() -> None:
    model, factory = _made("DistMult", embedding_dim=6)
    foreign = [Entity(key=EntityKey(key), label="A", name=key) for key in ("x", "y")]
    with pytest.raises(InputError, match="none of the graph's entities"):
        PykeenModel.from_model(model, factory, build_snapshot(foreign, []))
    animals = [Entity(key=EntityKey(key), label="A", name=key) for key in "ab"]
    graph = build_snapshot(animals, edges_of([("a", "hunts", "b")]))
    with pytest.raises(InputError, match="'hunts'"):
        PykeenModel.from_model(model, factory, graph)


def test_without_pykeen_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name.split(".")[0] == "pykeen":
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    config = PykeenConfig(model="DistMult", entities=("a",), relations=("likes",))
    with pytest.raises(MissingPartError, match="pykeen"):
        PykeenModel.from_state(tmp_path / "model.pt", config, _graph())
