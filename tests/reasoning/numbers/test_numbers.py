"""Missing numbers: intervals hold as often as they say, neighbours help, known values stay."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import InputError, SettingError, UnknownEntityError
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.snapshot import build_snapshot
from reasoning.numbers import (
    ConformalInterval,
    NumberConfig,
    NumberPredictor,
    conformal_interval,
    fit_number_model,
    known_numbers,
    predict_number,
)
from reasoning.numbers.routes import Route, Routes

SOURCE = (Provenance(kind="asserted", source="test"),)
REGIONS, TOWNS = 12, 30
QUICK = NumberConfig(trees=10)


def edge(head, relation, tail):
    return Edge(head=EntityKey(head), relation=relation, tail=EntityKey(tail), provenance=SOURCE)


@pytest.fixture(scope="module")
def world():
    """Towns lie near the latitude of their region; one town of each has none stored."""
    draw = np.random.default_rng(0)
    entities, edges, truth = [], [], {}
    for region in range(REGIONS):
        entities.append(Entity(key=EntityKey(f"region-{region}"), label="Region", name="R"))
        centre = draw.uniform(-60, 60)
        for town in range(TOWNS):
            key = f"town-{region}-{town:02}"
            truth[key] = centre + draw.normal()
            stored = {"latitude": truth[key], "people": float(np.exp(draw.normal(9, 2)))}
            if town == 0:
                del stored["latitude"]
            entities.append(Entity(key=EntityKey(key), label="Town", name=key, attributes=stored))
            edges.append(edge(key, "lies_in", f"region-{region}"))
    entities.append(
        Entity(key=EntityKey("odd"), label="Thing", name="odd", attributes={"colour": "red"})
    )
    return build_snapshot(entities, edges), truth


def test_a_missing_number_follows_its_neighbours(world):
    graph, truth = world
    predictor = NumberPredictor(graph, QUICK)
    stored = known_numbers(graph, "latitude")
    for region in range(REGIONS):
        found = predictor.predict(f"town-{region}-00", "latitude")
        error = abs(found.value - truth[found.entity])
        assert found.status == "predicted"
        assert found.low <= found.value <= found.high
        assert error < 0.2 * abs(np.nanmedian(stored) - truth[found.entity]) + 4
        assert any("lies_in" in reason for reason in found.because)


def test_a_known_number_stays_as_the_graph_holds_it(world):
    graph, truth = world
    found = predict_number(graph, "town-3-04", "latitude")
    assert (found.status, found.value, found.coverage) == ("known", truth["town-3-04"], 1.0)
    assert found.low == found.high == found.value


def test_the_same_seed_gives_the_same_numbers(world):
    graph, _ = world
    one, other = (NumberPredictor(graph, QUICK, seed=4) for _ in range(2))
    assert one.predict("town-1-00", "latitude") == other.predict("town-1-00", "latitude")


def test_wide_positive_numbers_are_fitted_as_logarithms(world):
    graph, _ = world
    model = fit_number_model(graph, "people", QUICK)
    value, low, high = model.predict(np.arange(graph.num_entities))
    assert model.is_logarithm
    assert np.all((low > 0) & (low <= value) & (value <= high))


def test_held_out_numbers_fall_into_the_interval_as_often_as_stated(world):
    graph, _ = world
    stored = known_numbers(graph, "latitude")
    known = np.flatnonzero(np.isfinite(stored))
    inside = []
    for seed in range(5):
        held = np.random.default_rng(seed).choice(known, len(known) // 5, replace=False)
        shown = stored.copy()
        shown[held] = np.nan
        model = fit_number_model(graph, "latitude", QUICK, numbers=shown, seed=seed)
        _, low, high = model.predict(held, coverage=0.8)
        inside.append((low <= stored[held]) & (stored[held] <= high))
    share = np.concatenate(inside).mean()
    # the spread over calibration sets of 70 values and held-out sets of 70, over five draws
    assert abs(share - 0.8) < 4 * np.sqrt(0.8 * 0.2 * (2 / 70) / 5)


def test_the_calibration_part_never_enters_the_columns(world):
    graph, _ = world
    model = fit_number_model(graph, "latitude", QUICK)
    changed = known_numbers(graph, "latitude")
    changed[model.calibrated] += 1000.0
    again = fit_number_model(graph, "latitude", QUICK, numbers=changed)
    assert np.array_equal(model.columns, again.columns, equal_nan=True)
    assert not np.intersect1d(model.fitted, model.calibrated).size


@given(
    residuals=st.lists(st.floats(0, 1e6), min_size=1, max_size=40),
    coverage=st.floats(0.01, 0.99),
)
def test_the_half_width_is_the_smallest_residual_that_covers(residuals, coverage):
    interval = conformal_interval(residuals, np.zeros(len(residuals)))
    count = len(residuals)
    if np.ceil((count + 1) * coverage) > count:
        with pytest.raises(SettingError, match="cannot give"):
            interval.half_width(coverage)
        return
    width = interval.half_width(coverage)
    assert sum(r <= width for r in residuals) >= coverage * (count + 1)
    assert sum(r < width for r in residuals) < coverage * (count + 1)


def test_conformal_coverage_is_binomial_on_exchangeable_values():
    draw = np.random.default_rng(1)
    inside = 0
    for _ in range(400):
        values = np.abs(draw.standard_cauchy(100))
        width = ConformalInterval(residuals=np.sort(values[:99])).half_width(0.9)
        inside += values[99] <= width
    assert abs(inside / 400 - 0.9) < 4 * np.sqrt(0.9 * 0.1 / 400)


def test_a_number_that_few_entities_have_may_be_missing_from_a_fold():
    draw = np.random.default_rng(0)
    entities = []
    for number in range(44):
        stored = {"age": float(draw.normal())}
        if number < 5:
            stored["height"] = float(draw.normal())
        key = EntityKey(f"{number:02}")
        entities.append(Entity(key=key, label="X", name="x", attributes=stored))
    graph = build_snapshot(entities, [])
    for seed in range(12):  # in some, all heights fall into one fold
        fit_number_model(graph, "age", NumberConfig(trees=1), seed=seed)


def test_routes_leave_the_entity_itself_out(world):
    graph, _ = world
    routes, stored = Routes(graph), known_numbers(graph, "latitude")
    means, counts = routes.values(Route(relation=graph.relation_id("lies_in"), back=True), stored)
    place = graph.entity_id("town-2-05")
    others = [graph.entity_id(f"town-2-{town:02}") for town in range(1, TOWNS) if town != 5]
    assert counts[place] == len(others)
    assert means[place] == pytest.approx(stored[others].mean())


def test_what_cannot_be_predicted_is_refused(world):
    graph, _ = world
    with pytest.raises(InputError, match="no entity has the property"):
        predict_number(graph, "odd", "latitud")
    with pytest.raises(InputError, match="too few"):
        predict_number(graph, "town-0-01", "colour")
    with pytest.raises(UnknownEntityError):
        predict_number(graph, "nowhere", "latitude")
    with pytest.raises(SettingError, match="coverage"):
        predict_number(graph, "town-0-00", "latitude", coverage=1.5, config=QUICK)
    with pytest.raises(InputError, match="no Thing has a number 'latitude'"):
        predict_number(graph, "odd", "latitude", config=QUICK)
