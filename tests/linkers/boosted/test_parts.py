"""Trees, memory, names and margins against slower ways to say the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_info

from encoders import TinyTextEncoder
from kg.errors import InputError, SettingError
from kg.model import EntityKey
from linkers.boosted import EntityTable, Forest, PooledTexts, TreeConfig
from linkers.boosted.aliases import named_alike
from linkers.boosted.candidates import LIMIT, propose
from linkers.boosted.features import group_best_other
from linkers.boosted.memory import Memory
from linkers.boosted.name_index import NameIndex
from linkers.boosted.name_list import NameList, top
from linkers.boosted.trees import fit_forest
from linkers.model import Mention

NAN = float("nan")


def data(rows: int = 300) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(3)
    values = generator.normal(size=(rows, 5)).astype(np.float32)
    values[generator.random(values.shape) < 0.2] = NAN
    return values, np.nan_to_num(values[:, 0]) + np.nan_to_num(values[:, 1]) ** 2 > 0.5


CONFIG = TreeConfig(trees=20, leaves=7, smallest_leaf=5)


def grown() -> tuple[Forest, np.ndarray, np.ndarray]:
    values, true = data()
    forest = fit_forest(values, true, np.ones(len(true), np.float32), config=CONFIG, seed=1)
    return forest, values, true


def scikit_learns(config: TreeConfig, seed: int) -> HistGradientBoostingClassifier:
    """Return what scikit-learn itself grows by the same settings."""
    return HistGradientBoostingClassifier(
        max_iter=config.trees,
        learning_rate=config.learning_rate,
        max_leaf_nodes=config.leaves,
        min_samples_leaf=config.smallest_leaf,
        l2_regularization=config.penalty,
        max_features=config.columns,
        early_stopping=False,
        random_state=seed,
    )


def test_a_forest_scores_as_scikit_learn_does() -> None:
    forest, values, true = grown()
    theirs = scikit_learns(CONFIG, 1).fit(values, true)
    fresh = np.concatenate([values, np.full((1, 5), NAN, np.float32), values + 0.01])
    np.testing.assert_allclose(forest.scores(fresh), theirs.decision_function(fresh), atol=1e-9)


def test_few_pairs_are_learnt_from_by_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several spin at every split until the last one is there, which others' work may hold up."""
    used: set[int] = set()
    fit = HistGradientBoostingClassifier.fit

    def told(self: Any, *given: Any, **more: Any) -> Any:
        pools = [pool for pool in threadpool_info() if pool["user_api"] == "openmp"]
        used.update(pool["num_threads"] for pool in pools)
        return fit(self, *given, **more)

    monkeypatch.setattr(HistGradientBoostingClassifier, "fit", told)
    before = threadpool_info()
    grown()
    assert used == {1}
    assert threadpool_info() == before


@pytest.mark.parametrize("rows", [200, 700])
def test_weighed_pairs_make_the_trees_that_scikit_learn_makes(rows: int) -> None:
    """Below 256 values a column has a bin for each, above it has bins of about the same weight."""
    values, true = data(rows)
    values[:, 1] = np.round(values[:, 1], 1)
    values, true = values[:, :3], true
    weights = np.random.default_rng(5).choice([1.0, 2.5], rows).astype(np.float32)
    config = TreeConfig(trees=10, leaves=15, smallest_leaf=3, columns=1.0)
    ours = fit_forest(values, true, weights, config=config, seed=2)
    model = scikit_learns(config, 2).fit(values, true, sample_weight=weights)
    nodes = np.concatenate([tree.nodes for (tree,) in model._predictors])
    asked = nodes["is_leaf"] == 0
    assert asked.sum() > 50
    np.testing.assert_array_equal(ours.column[asked], nodes["feature_idx"][asked])
    np.testing.assert_array_equal(ours.threshold[asked], nodes["num_threshold"][asked])
    np.testing.assert_array_equal(ours.scores(values) > 0, model.decision_function(values) > 0)
    np.testing.assert_allclose(ours.scores(values), model.decision_function(values), atol=1e-6)


def test_a_forest_survives_its_arrays_and_refuses_broken_ones() -> None:
    forest, values, _ = grown()
    again = Forest.of_arrays(forest.arrays())
    np.testing.assert_array_equal(again.scores(values), forest.scores(values))
    for name, change in (
        ("children", lambda a: a * 0),
        ("roots", lambda a: a + 10**6),
        ("column", lambda a: a + 5),
        ("answer", lambda a: a * NAN),
        ("threshold", lambda a: a[:-1]),
    ):
        arrays = forest.arrays()
        arrays[name] = change(arrays[name])
        with pytest.raises(InputError):
            Forest.of_arrays(arrays)
    with pytest.raises(InputError, match="not the arrays"):
        Forest.of_arrays({})
    with pytest.raises(InputError, match="features are needed"):
        forest.scores(values[:, :2])


def test_a_column_that_is_always_absent_is_not_asked_for() -> None:
    values, true = data()
    values[:, 2] = NAN
    forest = fit_forest(values, true, np.ones(len(true), np.float32), config=CONFIG)
    assert 2 not in forest.column


def test_trees_need_right_and_wrong_pairs_and_sound_numbers() -> None:
    values, true = data()
    with pytest.raises(InputError, match="one kind is missing"):
        fit_forest(values, true | True, np.ones(len(true), np.float32), config=CONFIG)
    for wrong in ({"trees": 0}, {"leaves": 1}, {"learning_rate": 0.0}, {"penalty": -1.0}):
        with pytest.raises(SettingError):
            TreeConfig(**wrong)


@given(
    st.lists(st.lists(st.sampled_from([NAN, 0.0, 0.5, 1.0]), min_size=1, max_size=4), min_size=1)
)
def test_the_best_other_is_what_a_loop_finds(groups: list[list[float]]) -> None:
    flat = np.array([value for group in groups for value in group], np.float32)[:, None]
    starts = np.cumsum([0, *map(len, groups)])[:-1]
    expected = []
    for group in groups:
        for place in range(len(group)):
            others = [v for p, v in enumerate(group) if p != place and not np.isnan(v)]
            # a NaN stands beside all that have a value
            expected.append(max(others, default=0.0))
    np.testing.assert_array_equal(group_best_other(flat, starts).ravel(), expected)


@given(
    st.lists(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=3), min_size=1, max_size=5)
)
def test_the_best_of_an_entitys_names_is_their_maximum(values: list[list[float]]) -> None:
    names = NameList([[f"{n}-{place}" for place in range(len(v))] for n, v in enumerate(values)])
    by_name = {f"{n}-{p}": value for n, group in enumerate(values) for p, value in enumerate(group)}
    row = np.array([[by_name[name] for name in names.flat]], np.float32)
    np.testing.assert_array_equal(names.best(row)[0], [np.float32(max(v)) for v in values])
    ids = np.arange(len(values))[::-1]
    places, starts = names.of(ids)
    found = np.maximum.reduceat(row[0, places], starts)
    np.testing.assert_array_equal(found, [np.float32(max(v)) for v in values[::-1]])


def test_the_highest_columns_come_first_and_ties_by_column() -> None:
    values = np.array([[0.0, 2.0, 1.0, 2.0]], np.float32)
    assert top(values, 3).tolist() == [[1, 3, 2]]
    assert top(values, 9).tolist() == [[1, 3, 2, 0]]


TABLE = EntityTable(
    keys=tuple(EntityKey(k) for k in ("Q1", "Q2", "Q3", "Q4", "Q5")),
    names=(
        ("Federal Bureau of Investigation",),
        ("Amazon (company)",),
        ("Amazon River", "Amazon"),
        ("Netherlands",),
        ("University of Corvo",),
    ),
)


@pytest.mark.parametrize(
    ("surface", "kind", "entities"),
    [
        ("FBI", 1, {0}),
        ("F.B.I.'s", 1, {0}),
        ("FI", 1, set()),
        ("UC", 1, {4}),
        ("amazon", 0, {1, 2}),
        ("Dutch", 2, {3}),
        ("University of Corvo’s", 0, {4}),
    ],
)
def test_names_are_found_in_other_guises(surface: str, kind: int, entities: set[int]) -> None:
    assert entities <= set(named_alike(TABLE, surface)[kind])


def test_some_initials_in_order_stand_for_a_name() -> None:
    names = (("Korean People's Army Air and Anti-Air Force",), ("Kenya Post Office",))
    table = EntityTable(keys=TABLE.keys[:2], names=names)
    assert table.abbreviated("KPAF") == (0,)
    assert table.abbreviated("KPO") == (1,)
    assert table.abbreviated("KF") == ()
    assert table.abbreviated("KFAP") == ()


def test_a_table_refuses_what_is_none() -> None:
    key = (EntityKey("Q1"),)
    for keys, names in (((), ()), (key, ()), (key * 2, (("a",), ("b",))), (key, ((" ",),))):
        with pytest.raises(InputError):
            EntityTable(keys=keys, names=names)
    assert len(TABLE.without(["Q1", "Q2"])) == 3


def memory_of(mentions: list[Mention], gold: list[int], texts: PooledTexts) -> Memory:
    return Memory(mentions, gold, texts.matrix([m.context for m in mentions]))


def test_a_training_mention_is_described_as_if_its_document_had_not_been_linked() -> None:
    texts = PooledTexts(TinyTextEncoder())
    generator = np.random.default_rng(5)
    mentions = [
        Mention(
            id=str(number),
            surface=str(generator.choice(["Amazon", "amazon's", "FBI", "river"])),
            context=f"text {generator.integers(9)} of {generator.integers(9)}",
            document=f"d{number // 3}",
        )
        for number in range(30)
    ]
    gold = generator.integers(-1, 5, size=30).tolist()
    memory = memory_of(mentions, gold, texts)
    everyone = np.arange(5)
    for number, mention in enumerate(mentions):
        others = [row for row, m in enumerate(mentions) if m.document != mention.document]
        apart = memory_of([mentions[r] for r in others], [gold[r] for r in others], texts)
        context = texts.matrix([mention.context])
        ours = memory.describe([mention], context, [everyone], apart=True)
        theirs = apart.describe([mention], context, [everyone], apart=False)
        np.testing.assert_allclose(ours, theirs, atol=1e-5, err_msg=str(number))
        assert memory.meant(mention, apart=True) == apart.meant(mention, apart=False)
    spelled = [Mention(id="x", surface="amazons", document="new")]
    assert memory.nearly_meant(spelled, apart=False) == memory.nearly_meant(spelled, apart=True)
    assert set(memory.nearly_meant(spelled, apart=False)[0]) <= set(range(5))
    alone = memory_of(mentions[:3], [1, 1, 1], texts)
    assert alone.nearly_meant(mentions[:3], apart=True) == [[], [], []]
    assert memory_of([], [], texts).nearly_meant(spelled, apart=False) == [[]]


def test_candidates_hold_namesakes_and_what_a_surface_has_meant() -> None:
    names = [(f"Person {number} Stone",) for number in range(200)] + [("Quarry",), ("Stone",)]
    keys = tuple(EntityKey(f"Q{number}") for number in range(len(names)))
    index = NameIndex(EntityTable(keys=keys, names=tuple(names)), PooledTexts(TinyTextEncoder()))
    mention = Mention(id="1", surface="Stone", context="Person 77 and Stone in a park")
    index.prepare([mention])
    found = propose(index, [mention], index.look([mention]), [{200: 3}], [[150]])[0].tolist()
    assert {200, 201, 77, 150} <= set(found)
    assert len(found) == LIMIT
    assert found == sorted(set(found))


def test_vectors_are_kept_between_processes(tmp_path) -> None:  # type: ignore[no-untyped-def]
    class Counting(TinyTextEncoder):
        encoded = 0

        def encode(self, texts):  # type: ignore[no-untyped-def]
            Counting.encoded += len(texts)
            return super().encode(texts)

    first = PooledTexts(Counting(), tmp_path).matrix(["a b", "", "c", "a b"])
    again = PooledTexts(Counting(), tmp_path).matrix(["a b", "", "c", "a b"])
    np.testing.assert_array_equal(first, again)
    assert Counting.encoded == 2
    assert not first[1].any()
