"""Scenes of many images as a job: interrupted, in a pool, shard by shard."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from kg.errors import ImageError
from kg.jobs import Shard, ShardResult
from kg.ledger import Ledger
from kg.store import Store
from scenes.job import IMAGES_A_SHARD, run_scene_job, scene_shard
from scenes.pipeline import SceneModel
from scenes.records import SeenImage
from tests.scenes.drawing import crescent_and_star
from tests.scenes.two_countries import JP, TR, content, two_countries


def open_image(sha256: str) -> NDArray[np.uint8]:
    if sha256 == "broken":
        raise ImageError("not a picture", where=sha256)
    return crescent_and_star()


def test_a_job_goes_on_after_an_interruption_and_ends_the_same(
    store: Store, model: SceneModel, tmp_path: Path
) -> None:
    images = [(TR, "ab"), (JP, "broken"), *((TR, f"more{n}") for n in range(9))]

    def stop(done: int, _total: int) -> None:
        if done >= 8:
            raise KeyboardInterrupt

    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        with pytest.raises(KeyboardInterrupt):
            run_scene_job(store, images, model, ledger=ledger, open_image=open_image, progress=stop)
        assert not list(store.entities("Part"))
        report = run_scene_job(store, images, model, ledger=ledger, open_image=open_image)
        assert (report.images, report.failed) == (10, 1)
        before = content(store)
        again = run_scene_job(store, images, model, ledger=ledger, open_image=open_image)
        assert again.withdrawn == 0
        assert content(store) == before
    names = {edge.tail for edge in store.edges(head=TR, relation="depicts")}
    assert {"shape:crescent", "shape:star", "shape:field"} <= names


class Elsewhere:
    """A pool of one that counts what it does; `kg.job_runner.ShardPool`."""

    room = 2

    def __init__(self, model: SceneModel) -> None:
        self.begun: list[Shard] = []
        self.done = 0
        self.model = model

    def submit(self, shard: Shard) -> None:
        self.begun.append(shard)

    def take(self) -> tuple[Shard, ShardResult]:
        self.done += 1
        shard = self.begun.pop()
        return shard, scene_shard(shard, self.model, open_image)


def test_a_pool_goes_on_where_this_process_stopped_and_is_not_opened_for_nothing(
    store: Store, model: SceneModel, tmp_path: Path
) -> None:
    images = [(TR, f"more{n}") for n in range(2 * IMAGES_A_SHARD + 3)]
    with two_countries() as alone, Ledger(tmp_path / "alone.sqlite") as ledger:
        run_scene_job(alone, images, model, ledger=ledger, open_image=open_image)
        wanted = content(alone)
    pool = Elsewhere(model)
    opened = []

    def open_pool() -> AbstractContextManager[Elsewhere]:
        opened.append(pool)
        return nullcontext(pool)

    def stop(done: int, _total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        run = partial(run_scene_job, store, images, model, ledger=ledger, open_image=open_image)
        with pytest.raises(KeyboardInterrupt):
            run(progress=stop)
        run(open_pool=open_pool)
        assert (pool.done, content(store)) == (2, wanted)
        run(open_pool=open_pool)
    assert opened == [pool]


def test_a_shard_depends_on_itself_alone_and_keeps_broken_images_as_rows(
    model: SceneModel,
) -> None:
    shard = Shard(job="j", number=0, parameters={"images": [["a", "broken"], ["b", "fine"]]})
    result = scene_shard(shard, model, open_image)
    assert result == scene_shard(shard, model, open_image)
    assert dict(result.counts) == {"seen": 1, "failed": 1}
    rows = [SeenImage.from_line(line) for line in result.output.decode().splitlines()]
    assert [(row.parent, row.error is None) for row in rows] == [("a", False), ("b", True)]
