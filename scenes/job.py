"""Taking the images of a graph apart as a job: resumable shards, then one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from kg.errors import ImageError, JobError
from kg.job_runner import ShardPool, run_job_ahead
from kg.jobs import JobProgress, Shard, ShardResult
from kg.ledger import Ledger, run_job
from kg.model import EntityKey
from kg.progress import Progress, silent
from kg.store import Store
from scenes.graph import WriteReport, write_scenes
from scenes.model import Pixels, SceneParser
from scenes.records import SeenImage

__all__ = ["OpenImage", "OpenPool", "run_scene_job", "scene_shard"]

OpenImage = Callable[[str], Pixels]
"""Opens an image by its sha256; raises `ImageError` where it cannot."""

OpenPool = Callable[[], AbstractContextManager[ShardPool]]
"""Opens a pool that calls `scene_shard` with the same model elsewhere."""

KIND = "scenes"
IMAGES_A_SHARD = 32


def scene_shard(shard: Shard, model: SceneParser, open_image: OpenImage) -> ShardResult:
    """Take the images of one shard apart; the output depends on the shard and the model alone.

    A broken image is a row with its reason, counted as ``failed``; the others go on.
    """
    seen: list[SeenImage] = []
    pictures: list[Pixels] = []
    for parent, image in shard.parameters["images"]:
        try:
            pictures.append(open_image(image))
            seen.append(SeenImage(parent=EntityKey(parent), image=image))
        except ImageError as error:
            seen.append(SeenImage(parent=EntityKey(parent), image=image, error=str(error)))
    scenes = model.parse_all(pictures)
    rows = [
        one
        if one.error is not None
        else SeenImage(parent=one.parent, image=one.image, scene=next(scenes))
        for one in seen
    ]
    failed = sum(row.error is not None for row in rows)
    text = "".join(row.to_line() + "\n" for row in rows)
    return ShardResult(output=text.encode(), counts={"seen": len(rows) - failed, "failed": failed})


def run_scene_job(
    store: Store,
    images: Sequence[tuple[EntityKey, str]],
    model: SceneParser,
    *,
    ledger: Ledger,
    open_image: OpenImage,
    open_pool: OpenPool | None = None,
    progress: Progress = silent,
) -> WriteReport:
    """Take images apart and write the result.

    A job that was interrupted goes on where it stopped; one that is done is written again only,
    which changes nothing.

    Args:
        store: The graph.
        images: Entity and sha256 of its image.
        model: The scene model, or a detector.
        ledger: Where the job stands.
        open_image: Opens an image by its sha256.
        open_pool: Opened for the shards that are left; None does them here.
        progress: Told images done.

    Raises:
        JobError: The job was paused or cancelled, or a shard failed.
    """
    rows = sorted(set(images))
    parts = [rows[n : n + IMAGES_A_SHARD] for n in range(0, len(rows), IMAGES_A_SHARD)]
    job = ledger.submit(
        KIND,
        {"model": model.version, "images": len(rows)},
        [{"images": [list(row) for row in part]} for part in parts],
        sizes=[len(part) for part in parts],
    )
    state = _work(ledger, job.id, model, open_image, open_pool, progress)
    if state.state != "done":
        raise JobError(
            f"the scene job is {state.state}: {state.error or 'somebody stopped it'}",
            where=job.id,
            hint="resume it, or look at the failed shards",
        )
    seen = (
        SeenImage.from_line(line)
        for shard in ledger.shards(job.id)
        for line in ledger.output(shard).decode().splitlines()
    )
    return write_scenes(store, seen, job=job.id, model=model.version)


def _work(
    ledger: Ledger,
    job: str,
    model: SceneParser,
    open_image: OpenImage,
    open_pool: OpenPool | None,
    progress: Progress,
) -> JobProgress:
    """Do the shards that are left; no pool is opened where none is."""
    if open_pool is None or ledger.place(job)[0] not in ("pending", "running"):
        return run_job(
            ledger, job, lambda shard: scene_shard(shard, model, open_image), progress=progress
        )
    with open_pool() as pool:
        return run_job_ahead(ledger, job, pool, progress=progress)
