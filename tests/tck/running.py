"""Runs scenarios of the kit through a door and says of each whether and why it failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from kg.errors import EngineError
from tests.tck.doors import Door, GraphState, Rows
from tests.tck.errors import mismatch
from tests.tck.named_graphs import named_graph
from tests.tck.notation import comparable, parsed
from tests.tck.scenarios import EFFECTS, Effects, Raises, Run, Scenario, Shows

__all__ = ["Verdict", "run_all"]


@dataclass(frozen=True)
class Verdict:
    """What came of one scenario.

    Attributes:
        scenario: Which.
        outcome: It passed, failed, or was left out.
        reason: Why it did not pass.
    """

    scenario: Scenario
    outcome: Literal["passed", "failed", "left out"]
    reason: str = ""


class _UnmetError(Exception):
    """An expectation that does not hold."""


def run_all(scenarios: Iterable[Scenario], door: Door, *, folder: Path) -> Iterator[Verdict]:
    """Run scenarios one after the other, each on an empty graph.

    Args:
        scenarios: What to run.
        door: Runs their queries.
        folder: The features' folder; named graphs are looked for there and beside it.
    """
    for scenario in scenarios:
        if scenario.needs_procedure:
            yield Verdict(scenario, "left out", "it needs a procedure of the kit's own")
            continue
        try:
            graph = named_graph(scenario.graph, folder) if scenario.graph else ""
        except LookupError:
            yield Verdict(scenario, "left out", f"the graph {scenario.graph} is not there")
            continue
        if door.written:
            door.empty()
        reason = _failure(scenario, door, graph)
        if reason:  # names that earlier cases left in the wiped graph may be to blame
            door.empty(anew=True)
            reason = _failure(scenario, door, graph)
        yield Verdict(scenario, "failed" if reason else "passed", reason)


def _failure(scenario: Scenario, door: Door, graph: str) -> str:
    """Run a scenario and return why it failed, "" if it passed."""
    try:
        if graph:
            door.run(graph, {})
        _run(scenario, door)
    except _UnmetError as unmet:
        return str(unmet)
    except EngineError as error:
        return f"raised {type(error).__name__}: {error}"[:300]
    return ""


def _run(scenario: Scenario, door: Door) -> None:
    parameters = {name: parsed(value) for name, value in scenario.parameters}
    before, result = GraphState(), Rows((), ())
    error: EngineError | None = None
    for step, after in pairwise([*scenario.steps, None]):
        match step:
            case Run(text=text, setup=setup):
                before = before if setup else door.state()
                try:
                    result, error = door.run(text, parameters), None
                except EngineError as raised:
                    if not isinstance(after, Raises):
                        raise
                    error = raised
            case Raises():
                if error is None:
                    raise _UnmetError(f"no error, but {_shown(result)}")
                if reason := mismatch(step, error):
                    raise _UnmetError(reason)
            case Shows():
                _check_rows(step, result)
            case Effects():
                _check_effects(step, before, door.state())


def _shown(result: Rows) -> str:
    return f"{', '.join(result.columns)}: {[list(row) for row in result.rows]}"[:300]


def _check_rows(step: Shows, result: Rows) -> None:
    if not step.columns:
        if result.rows:
            raise _UnmetError(f"not empty, but {_shown(result)}")
        return
    if sorted(step.columns) != sorted(result.columns):
        raise _UnmetError(f"columns {result.columns}, not {step.columns}")
    places = [result.columns.index(name) for name in step.columns]

    def form(values: Iterable[Any]) -> tuple[Any, ...]:
        return tuple(comparable(item, lists_in_order=step.lists_in_order) for item in values)

    wanted = [form(map(parsed, row)) for row in step.rows]
    found = [form(row[place] for place in places) for row in result.rows]
    same = wanted == found if step.in_order else Counter(wanted) == Counter(found)
    if not same:
        raise _UnmetError(f"{_shown(result)}, not {[list(row) for row in step.rows]}"[:500])


def _check_effects(step: Effects, before: GraphState, after: GraphState) -> None:
    wanted: Mapping[str, int] = dict(step.counts)
    for name in EFFECTS:
        old, new = getattr(before, name), getattr(after, name)
        for sign, number in (("+", len(new - old)), ("-", len(old - new))):
            if number != wanted.get(f"{sign}{name}", 0):
                raise _UnmetError(f"{sign}{name} {number}, not {wanted.get(sign + name, 0)}")
