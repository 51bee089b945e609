"""Fixtures that every package's tests may use: one engine for the whole run, a graph a test."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Generator, Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings

from kg.backends.memory import MemoryStore
from kg.launcher import LauncherConfig, attach, stop_store

# Small tensors gain nothing from threads, and tests run beside engines and browsers.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A run in the background of a shell ignores Ctrl+C, and so would the commands that tests interrupt.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is slow, not wrong; how long a test may take is pytest's time limit.
settings.register_profile("default", deadline=None)
settings.register_profile("many", deadline=None, max_examples=1000)  # --hypothesis-profile=many
settings.load_profile("default")

_names = count()

_COSTLY = ("tiny_demo", "shared_browser")
"""Fixtures worth making once only: their tests run in one process."""
_SHARING = {
    "tests/linkers/": "tests/linkers/",
    "tests/scenes/": "tests/scenes/",
    "tests/reasoning/cones/": "tests/scenes/",
    "tests/bench/test_parts_bench.py": "tests/scenes/",
    "tests/bench/test_scenes_bench.py": "tests/scenes/",
    "tests/bench/test_scenes_benches.py": "tests/scenes/",
}
"""Groups of tests that share trained models, by how the paths of their files begin.

Those of scenes and cones share PyTorch Geometric, too, which takes four seconds to load."""
LONG = (
    *(*dict.fromkeys(_SHARING.values()), *_COSTLY),
    "tests/reasoning/test_oracles.py",
    "tests/kg/test_store_durability.py",
    "tests/kg/test_store_sharing.py",
    "tests/kg/test_launcher.py",
    "tests/api/test_interruption.py",
    "tests/api/test_guides_run.py",
    "tests/api/test_train_folder.py",
    "tests/api/test_demo.py",
    "tests/bench/test_rest_fuzz.py",
    "tests/reasoning/embeddings/test_embedding_processes.py",
    "tests/reasoning/symbolic/test_symbolic.py",
    "tests/conformance/test_store.py",
    "tests/kg/test_importing_kills.py",
    "tests/kg/test_ledger_workers.py",
    "tests/bench/test_cypher_differential.py",
    "tests/bench/test_linking_bench.py",
    "tests/api/test_evaluate_linking.py",
    "tests/api/test_link_train.py",
    "tests/examples/test_notebooks.py",
    "tests/bench/test_linking_methods.py",
    "tests/bench/test_linking_pictures_bench.py",
    "tests/api/test_signals.py",
)
"""Groups that take long: they begin first, so that all processes end at about the same time."""

YOUNG = 20_000
"""Objects made between two looks at the youngest; after Python's own 700 most are still in use."""


@pytest.hookimpl(tryfirst=True)  # xdist reads the mark in its own hook
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Say which tests one process runs, where several share the work (`make test`).

    Those marked slow are skipped unless the expression of `-m` names the mark.
    """
    order: dict[pytest.Item, int] = {}
    by_hand = pytest.mark.skip(reason="takes long: run with -m slow")
    for item in items:
        if item.get_closest_marker("slow") and "slow" not in config.option.markexpr:
            item.add_marker(by_hand)
        used = getattr(item, "fixturenames", ())
        file = item.nodeid.partition("::")[0]
        names = [name for name in _COSTLY if name in used]
        names += [group for start, group in _SHARING.items() if file.startswith(start)]
        group = (*names, file)[0]
        item.add_marker(pytest.mark.xdist_group(group))
        order[item] = LONG.index(group) if group in LONG else len(LONG)
    if config.getoption("loadgroup", default=False):  # as pytest-randomly left them otherwise
        items.sort(key=order.__getitem__)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for garbage among what the tests make only, and less often than Python would.

    All that is collected, and loaded for it, stays to the end: to look through it while it grows
    took a third of the time.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
        gc.enable()


@pytest.fixture(scope="session")
def engine_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A store's folder whose engine runs until the last test; it starts with the first user."""
    folder = tmp_path_factory.mktemp("engine") / "graph"
    hold = attach(folder, LauncherConfig(idle_timeout_s=5, heap="512m"))
    yield folder
    hold.close()
    stop_store(folder)


@pytest.fixture
def bolt_store(engine_folder: Path) -> Iterator[object]:
    """A fresh, empty `BoltStore` on the run's own engine."""
    from kg.backends.bolt import BoltStore
    from kg.backends.embedded import EmbeddedLink

    link = EmbeddedLink(engine_folder, database=f"test{next(_names)}")
    store = BoltStore(link)
    yield store
    if not link.is_connected:  # the test closed its store
        link.connect()
    link.drop()
    store.close()
    link.close()


@pytest.fixture
def memory_store() -> Iterator[MemoryStore]:
    """A fresh, empty `MemoryStore`."""
    with MemoryStore() as store:
        yield store
