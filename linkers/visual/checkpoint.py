"""A picture matcher on disk: arrays as safetensors, everything else as JSON; no pickle."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from kg.described_arrays import Arrays, DescribedArrays
from kg.errors import InputError
from linkers.visual.alignment import Alignment, AlignmentConfig
from linkers.visual.bridge import Bridge
from linkers.visual.fusion import Fusion
from linkers.visual.maps import Maps, VisualConfig
from linkers.visual.matcher import PictureMatcher
from linkers.visual.sides import MODES

__all__ = ["FORMAT", "load_matcher", "save_matcher"]

FORMAT = 1
_FILES = DescribedArrays(kind="picture matcher", stem="pictures", format=FORMAT)
_ALIGNMENT = ("mention_mean", "entity_mean", "directions")
_BRIDGE = ("weights", "picture_mean", "text_mean")
_FUSION = ("weights", "scales")


def save_matcher(matcher: PictureMatcher, folder: Path, *, encoders: str) -> None:
    """Write a matcher; the description comes last and names the arrays by hash.

    Args:
        matcher: The matcher.
        folder: Is made if missing.
        encoders: Fingerprints of the encoders of pictures and words.
    """
    arrays: Arrays = {}
    maps = matcher.maps
    for number, learnt in enumerate(maps.alignments.values()):
        arrays |= _taken(learnt, f"alignment{number}.", _ALIGNMENT)
    if maps.spoken is not None:
        arrays |= _taken(maps.spoken, "spoken.", _ALIGNMENT)
    if maps.bridge is not None:
        arrays |= _taken(maps.bridge, "bridge.", _BRIDGE)
    for mode, fusion in matcher.fusions.items():
        arrays |= _taken(fusion, f"fusion{MODES.index(mode)}.", _FUSION)
    arrays |= {f"hubs{MODES.index(mode)}": value for mode, value in matcher.hubs.items()}
    _FILES.write(
        folder,
        {
            "config": asdict(matcher.config),
            "encoders": encoders,
            "kinds": list(maps.alignments),
            "modes": list(matcher.fusions),
            "keys": list(matcher.keys),
            "hubs": list(matcher.hubs),
            "units": {mode: list(names) for mode, names in maps.names.items()},
        },
        arrays,
    )


def load_matcher(folder: Path, *, encoders: str) -> PictureMatcher:
    """Read what `save_matcher` wrote.

    Args:
        folder: Where it lies.
        encoders: Fingerprints of the encoders that it will work with.

    Raises:
        MissingPartError: Nothing was saved there.
        ForeignFileError: Something else lies there, or the arrays belong to another training.
        FormatVersionError: It is of another format.
        InputError: It was trained with other encoders.
    """
    values = _FILES.read(folder)
    if values.get("encoders") != encoders:
        raise InputError(
            f"the matcher was trained with {values.get('encoders')}, not with {encoders}",
            hint="train it again, or name its encoders in the settings",
        )
    with _FILES.opened(folder) as arrays:
        return _read(values, arrays)


def _read(values: dict[str, Any], arrays: Arrays) -> PictureMatcher:
    settings = dict(values["config"])
    config = VisualConfig(**{**settings, "alignment": AlignmentConfig(**settings["alignment"])})
    maps = Maps(
        alignments={
            str(kind): Alignment(**_named(arrays, f"alignment{number}.", _ALIGNMENT))
            for number, kind in enumerate(values["kinds"])
        },
        bridge=Bridge(**_named(arrays, "bridge.", _BRIDGE)) if "bridge.weights" in arrays else None,
        spoken=(
            Alignment(**_named(arrays, "spoken.", _ALIGNMENT))
            if "spoken.directions" in arrays
            else None
        ),
    )
    if values["units"] != {mode: list(names) for mode, names in maps.names.items()}:
        raise InputError("units of another version")
    fusions = {}
    for mode in values["modes"]:
        fusion = Fusion(**_named(arrays, f"fusion{MODES.index(mode)}.", _FUSION))
        if fusion.weights.shape != (len(maps.names[mode]),):
            raise InputError(f"{len(fusion.weights)} weights for {len(maps.names[mode])} units")
        fusions[mode] = fusion
    keys = tuple(str(key) for key in values["keys"])
    hubs = {str(mode): arrays[f"hubs{MODES.index(mode)}"] for mode in values["hubs"]}
    if any(value.shape != (len(keys),) for value in hubs.values()):
        raise InputError("hubness of other entities")
    return PictureMatcher(config=config, maps=maps, fusions=fusions, keys=keys, hubs=hubs)


def _taken(source: object, prefix: str, names: tuple[str, ...]) -> Arrays:
    return {f"{prefix}{name}": getattr(source, name) for name in names}


def _named(arrays: Arrays, prefix: str, names: tuple[str, ...]) -> Arrays:
    return {name: arrays[f"{prefix}{name}"] for name in names}
