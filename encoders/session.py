"""Runs an ONNX graph item by item over a few threads; ends within one item when interrupted.

One item a run, one thread a run: an item's vectors depend on nothing but itself (dynamic int8
scales cover a whole run), and several single-threaded runs beside one another are faster on few
cores than one run over several threads (DINOv2 ViT-S on two cores: 16 against 9 pictures a second).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from kg.errors import ForeignFileError
from kg.files import atomic_write

__all__ = ["ItemSession", "prepared_model"]

_MAX_WORKERS = 8
_CHUNK = 32


class ItemSession:
    """One loaded graph.

    Args:
        model: Serialised ONNX model.
        workers: Threads; the machine's cores (at most 8) if not given.

    Raises:
        ForeignFileError: The bytes are not a model that onnxruntime runs.
    """

    def __init__(self, model: bytes, *, workers: int | None = None) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise ForeignFileError(
                "not a model that onnxruntime can run", hint="delete the encoder cache"
            ) from error
        self._workers = workers or min(os.cpu_count() or 1, _MAX_WORKERS)

    def map(
        self,
        items: Sequence[Any],
        feed: Callable[[Any], Mapping[str, NDArray[Any]]],
    ) -> list[NDArray[np.float32]]:
        """Return the first output for each item, in order.

        Args:
            items: Whatever `feed` takes.
            feed: Makes the graph's inputs of one item.
        """

        def run(item: Any) -> NDArray[np.float32]:
            result: NDArray[np.float32] = self._session.run(None, dict(feed(item)))[0]
            return result

        if self._workers == 1 or len(items) == 1:
            return [run(item) for item in items]
        outputs: list[NDArray[np.float32]] = []
        executor = ThreadPoolExecutor(self._workers, thread_name_prefix="encoder")
        try:
            for start in range(0, len(items), _CHUNK):
                outputs.extend(executor.map(run, items[start : start + _CHUNK]))
        finally:
            executor.shutdown(wait=True, cancel_futures=True)
        return outputs


def prepared_model(make: Callable[[], Any], file: Path | None) -> bytes:
    """Return a serialised model, made once and kept in a file.

    Args:
        make: Makes the `onnx.ModelProto`; takes seconds.
        file: Where to keep it; None makes it anew each time.
    """
    if file is not None and file.exists():
        return file.read_bytes()
    data: bytes = make().SerializeToString()
    if file is not None:
        with atomic_write(file) as out:
            out.write(data)
    return data
