"""Loading of `transformers` models: from safetensors only, without code of a model repository."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch
import transformers

from kg.errors import MissingPartError

__all__ = ["fingerprint_of", "loaded", "model_of"]


def loaded(loader: Any, name: str, **options: Any) -> Any:
    """Return what an `Auto…` class of `transformers` reads from a directory or hub id.

    Raises:
        MissingPartError: It cannot be loaded.
    """
    transformers.utils.logging.disable_progress_bar()
    try:
        return loader.from_pretrained(name, trust_remote_code=False, **options)
    except (OSError, ValueError, KeyError) as error:
        place = "" if Path(name).is_dir() else ", which is no directory here"
        raise MissingPartError(
            f"cannot load the model {name!r}{place}: {str(error).splitlines()[0][:200]}",
            hint="give a directory with config.json and model.safetensors, or a hub id",
        ) from error


def model_of(name: str) -> Any:
    """Return a model without a head, in float32, from safetensors only.

    Raises:
        MissingPartError: It cannot be loaded.
    """
    return loaded(transformers.AutoModel, name, use_safetensors=True, dtype=torch.float32).eval()


def fingerprint_of(name: str, model: Any, settings: str) -> str:
    """Return a name of weights and settings."""
    # configuration and a sample of every weight: another checkpoint of the same shape differs
    digest = hashlib.sha256(repr(sorted(model.config.to_dict().items(), key=str)).encode())
    for key, value in sorted(model.state_dict().items()):
        digest.update(key.encode())
        digest.update(value.flatten()[:: max(1, value.numel() // 64)].float().numpy().tobytes())
    return f"transformers-{Path(name).name}-{digest.hexdigest()[:12]}-{settings}"
