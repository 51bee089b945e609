"""Training in real processes: killed and taken up again, and two that train one model."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from reasoning.predictors.embeddings import EmbeddingModel
from tests.reasoning.embeddings.training_worker import CONFIG, trained
from tests.reasoning.predictor_world import WORLD

WORKER = "tests.reasoning.embeddings.training_worker"
ROOT = Path(__file__).resolve().parents[3]


def _started(folder: Path, role: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # our own module
        [sys.executable, "-m", WORKER, str(folder), role],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(autouse=True)
def _one_thread() -> object:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_a_killed_training_ends_as_one_that_was_not(tmp_path: Path) -> None:
    process = _started(tmp_path, "killed")
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) == 3:
            process.send_signal(signal.SIGKILL)
            break
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL
    seen = (tmp_path / "checkpoint.json").read_text()
    resumed = trained(tmp_path, CONFIG.epochs)
    assert '"epoch"' in seen
    assert resumed.fingerprint == trained(None, CONFIG.epochs).fingerprint


def test_two_processes_train_what_one_trains(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = str(listener.getsockname()[1])
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2"}
    workers = [_started(tmp_path, "shared", RANK=str(rank), **shared) for rank in range(2)]
    for worker in workers:
        worker.communicate(timeout=120)
        assert worker.returncode == 0
    first, second = (EmbeddingModel.load(tmp_path / str(rank), WORLD) for rank in range(2))
    assert first.fingerprint == second.fingerprint
    alone = trained(None, 5)
    np.testing.assert_allclose(first.entity, alone.entity, rtol=1e-3, atol=1e-4)
    assert first.fingerprint != alone.fingerprint  # sums of floats in another order
