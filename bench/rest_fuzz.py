"""Does any request make the REST service fail, or answer what its OpenAPI document does not say?

Question: over every operation of the document, with requests that fit their schemas and requests
that do not, does schemathesis find a 5xx, an undocumented status, body or header, or a request that
passes without its key?
Command: ``python -m bench.rest_fuzz --out docs/benchmarks/rest-fuzz.json`` (20,000 cases, about a
quarter of an hour); ``--cases 500`` for a look. The page is written beside the JSON.

Half of the cases go to a server without keys, half to one that needs them. The application runs in
this process, over the small world of the tests, with its store (so that Cypher is really run), a
small linker and jobs without records; nothing is sent over a network. Two checks of schemathesis
are replaced. One wants every request that fits its schema to be accepted, and no JSON schema says
which texts are queries: ours wants that such a request is never refused as one that does not fit.
The other wants every request that was made not to fit to be refused: ours is the same, but reads
the query as it stands on the wire, where the integer 7 and a list of the one text 7 are one.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given
from hypothesis import seed as seeded
from hypothesis import settings as hypothesis_settings
from requests import Timeout
from schemathesis.core.failures import AcceptedNegativeData, Failure, FailureGroup
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation import GenerationMode
from schemathesis.python.asgi import shutdown_lifespans
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
)

from api.app import create_app, default_job_kinds
from api.engine import AnswererName
from api.errors import TYPE_PREFIX
from api.held_linker import HeldLinker
from api.runner import JobRun
from api.settings import Settings
from bench.rest_fuzz_page import page
from bench.rest_fuzz_wire import query_fits
from evaluation import current_commit, this_machine
from kg.backends import open_store
from kg.files import atomic_write, write_json
from kg.launcher import LauncherConfig, stop_store
from kg.progress import Progress
from kg.store import Store
from linkers.protocols import MentionLinker
from reasoning.protocols import Answerer
from tests.api.world import WorldEngine, fill, make_world

__all__ = ["KEY", "Findings", "fuzz", "main", "served"]

schemathesis.serializer.alias("application/sparql-query", "text/plain")

KEY = "the-operator's-key-of-this-run"
_REFUSED_AS_UNFIT = ("bad-request", "invalid-request", "unsupported-media-type")
_QUIET = hypothesis_settings(
    deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)


@dataclass
class Findings:
    """What a run has seen.

    Attributes:
        cases: Requests by operation.
        statuses: Answers by status.
        failures: The first report of each distinct failure, by operation and kind.
    """

    cases: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)


class _AllAnswerers(WorldEngine):
    """The small world, with no model missing: that would be a 503."""

    def answerer(self, name: AnswererName) -> tuple[Answerer, tuple[str, ...]]:
        return super().answerer("exact" if name == "exact" else "symbolic")


@contextmanager
def served(
    folder: Path, *, key: str = "", store: Store, linker: MentionLinker | None = None
) -> Iterator[FastAPI]:
    """Yield the application over the small world, with a key if one is given."""
    workspace = make_world(folder)
    fill(store, workspace)
    settings = Settings(api_key=key, text_encoder="tiny")
    with _AllAnswerers(workspace, settings=settings, store=store) as engine:
        kinds = {
            name: replace(kind, work=_nothing) for name, kind in default_job_kinds(engine).items()
        }
        app = create_app(engine, job_kinds=kinds, hosts=frozenset())
        if linker is not None:
            app.state.linker = HeldLinker(engine, opener=lambda _: linker)
        try:
            yield app
        finally:
            shutdown_lifespans()


def _nothing(run: JobRun, progress: Progress) -> dict[str, Any]:
    """Do a job without records."""
    progress(1, 1)
    out = run.folder / "out.jsonl"
    out.touch()
    return {"linked": 0, "seconds": 0.0, "output": out}


def fuzz(
    app: FastAPI,
    findings: Findings,
    *,
    each: int,
    seed: int,
    key: str = "",
    borders: bool = True,
    choose: Callable[[str], bool] = lambda _path: True,
) -> None:
    """Send requests to every operation and note what is wrong with the answers.

    Args:
        app: Who answers.
        findings: Grows.
        each: Requests an operation that fit their schema, and as many that do not.
        seed: Of the random requests.
        key: Sent with each.
        borders: Also send those that schemathesis derives from the borders of each schema.
        choose: Whether the operations of a path get any.
    """
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    schema.config.generation.update(with_security_parameters=False)  # the key is ours
    headers = {"Authorization": f"Bearer {key}"} if key else {}

    def send(case: Any) -> None:
        label = case.operation.label
        findings.cases[label] += 1
        try:
            response = case.call_and_validate(
                headers=headers,
                additional_checks=[fitting_requests_fit, unfit_requests_are_refused],
                excluded_checks=[positive_data_acceptance, negative_data_rejection],
            )
        except (TimeoutError, Timeout) as error:  # a finding; the run goes on
            asked = f"{case.method} {case.formatted_path} {case.query!r} {case.body!r}"
            findings.failures.setdefault(f"{label}: no answer in time", f"{error}: {asked}"[:2000])
        except FailureGroup as group:
            for failure in group.exceptions:
                findings.failures.setdefault(f"{label}: {_kind(failure)}", str(group)[:2000])
        else:
            findings.statuses[response.status_code] += 1

    for found in schema.get_all_operations():
        operation = found.ok()
        if not choose(operation.path):
            continue
        if borders:
            for case in schema.iter_coverage_cases(
                operation,
                generation_modes=list(GenerationMode),
                generation_config=schema.config.generation,
            ):
                send(case)
        for mode in _modes(operation):
            run = given(case=operation.as_strategy(generation_mode=mode))(send)
            seeded(seed)(hypothesis_settings(_QUIET, max_examples=each)(run))()


def fitting_requests_fit(_context: Any, response: Any, case: Any) -> None:
    """Fail where a request that fits its schema is refused as one that does not."""
    if not case.meta.generation.mode.is_positive or response.status_code < 400:
        return
    slug = str(response.json().get("type")).removeprefix(TYPE_PREFIX)
    if slug in _REFUSED_AS_UNFIT:
        raise AssertionError(f"a request that fits its schema was refused: {slug}")


def unfit_requests_are_refused(context: Any, response: Any, case: Any) -> None:
    """Fail where a request that does not fit its schema, as it was sent, is accepted."""
    try:
        negative_data_rejection(context, response, case)
    except AcceptedNegativeData:
        negated = {place for place, part in case.meta.components.items() if part.mode.is_negative}
        parameters = case.operation.definition.raw.get("parameters", [])
        if negated != {ParameterLocation.QUERY} or not query_fits(response.request.url, parameters):
            raise


def _kind(failure: BaseException) -> str:
    return failure.title if isinstance(failure, Failure) else str(failure)


def _modes(operation: Any) -> Iterable[GenerationMode]:
    """Return what can be generated: an operation without parameters takes no wrong ones."""
    takes_some = any(True for _ in operation.iter_parameters()) or len(operation.body)
    return GenerationMode if takes_some else (GenerationMode.POSITIVE,)


def main() -> None:
    """Fuzz a server without keys and one with, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000, help="requests in all, at least")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    started = time.monotonic()
    findings, by_server = Findings(), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        linker = _small_linker()
        for name, key in (("without keys", ""), ("with keys", KEY)):
            place = Path(folder) / name.replace(" ", "-")
            before = findings.cases.total()
            hold = LauncherConfig(idle_timeout_s=60, heap="512m")
            with (
                open_store(place / "graph", launcher=hold) as store,
                served(place / "world", key=key, store=store, linker=linker) as app,
            ):
                seed = arguments.seed
                while findings.cases.total() - before < arguments.cases / 2:
                    fuzz(app, findings, each=max(2, arguments.cases // 100), seed=seed, key=key)
                    seed += 1
                    print(f"{name}: {findings.cases.total()} cases", flush=True)
            by_server[name] = findings.cases.total() - before
            stop_store(place / "graph")
    result = {
        "bench": "rest_fuzz",
        "commit": current_commit(),
        "machine": asdict(this_machine()),
        "seed": arguments.seed,
        "schemathesis": schemathesis.__version__,
        "cases": findings.cases.total(),
        "by_server": dict(by_server),
        "by_operation": dict(sorted(findings.cases.items())),
        "statuses": {str(status): n for status, n in sorted(findings.statuses.items())},
        "failures": findings.failures,
        "minutes": round((time.monotonic() - started) / 60, 1),
    }
    for name, report in findings.failures.items():
        print(f"\n== {name}\n{report}")
    print(f"{result['cases']} cases, {len(findings.failures)} distinct failures")
    if arguments.out is not None:
        write_json(arguments.out, result)
        with atomic_write(arguments.out.with_suffix(".md")) as file:
            file.write(page(result).encode())


def _small_linker() -> MentionLinker:
    from encoders import TinyImageEncoder, TinyTextEncoder
    from linkers import DecisionConfig, Encoders, Linker, LinkerConfig
    from tests.linkers.small_world import COUNTRIES, PICTURES, examples, world

    mentions, gold = examples(list(COUNTRIES))
    return Linker.train(
        world(),
        mentions,
        gold,
        encoders=Encoders(text=TinyTextEncoder(dimension=32), image=TinyImageEncoder(side=4)),
        config=LinkerConfig(
            matching={"dimension": 16, "epochs": 2, "batch": 16},
            decision=DecisionConfig(hidden=16, members=1, epochs=25, batch=16),
        ),
        pixels=PICTURES.get,
    )


if __name__ == "__main__":
    main()
