"""`umbra scenes ground`: the region of an image that a phrase means."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from api.workspace import Workspace
    from scenes.grounding.grounder import Grounding
    from scenes.grounding.model import GroundingModel
    from scenes.model import Region

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra scenes ground examples/countries/flags/CN.png "the large yellow star"
  umbra scenes ground examples/countries/flags/US.png "the blue rectangle in the upper left" --json
  umbra scenes ground examples/countries/flags/TR.png "the white star" --svg star.svg

For flat-coloured images: flags, logos, icons, diagrams. Colours, shapes, places, sizes, ranks
("the second band from the top") and what a thing lies on ("the star on the red band") are read.
The first call learns from drawings, in some ten seconds, and keeps what it learnt.
"""


def add_parser(actions: Any, common: argparse.ArgumentParser) -> None:
    """Declare the action."""
    parser = actions.add_parser(
        "ground",
        parents=[common],
        help="find what a phrase means in an image",
        description="Find the region of an image that a phrase means.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("image", type=Path, help="PNG, JPEG, WebP or GIF")
    parser.add_argument("phrase", help='such as "the white star in the upper left"')
    parser.add_argument("--most", type=int, default=3, help="answers to show (default 3)")
    parser.add_argument("--svg", type=Path, metavar="OUT", help="draw the first answer here")
    parser.add_argument("--png", type=Path, metavar="OUT", help="the same as PNG")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ground one phrase."""
    import numpy as np

    from api.cli.printing import print_json, print_rows
    from api.workspace import find_workspace
    from kg.errors import SettingError
    from kg.files import atomic_write
    from kg.images import decoded, read_picture
    from scenes.grounding.phrases import read_phrase
    from scenes.look import draw_png, draw_svg
    from scenes.model import Scene

    if arguments.most < 1:
        raise SettingError(f"--most must be at least 1, got {arguments.most}")
    read_phrase(arguments.phrase)  # refused before anything is learnt
    name = str(arguments.image)
    image = np.asarray(decoded(read_picture(arguments.image, name), name))
    model = _model(find_workspace(arguments.folder))
    grounding, regions = model.ground(arguments.phrase, image, most=arguments.most)
    if arguments.svg is not None or arguments.png is not None:
        scene = Scene(width=image.shape[1], height=image.shape[0], regions=tuple(regions))
        best = grounding.answers[0].members
        if arguments.svg is not None:
            with atomic_write(arguments.svg) as file:
                file.write(draw_svg(image, scene, parts=best).encode())
        if arguments.png is not None:
            with atomic_write(arguments.png) as file:
                file.write(draw_png(image, scene, parts=best))
    if arguments.json:
        print_json(_as_json(grounding, regions))
        return 0
    print_rows(
        ("probability", "box", "colour", "parts", "why"),
        [
            (
                f"{answer.probability:.2f}",
                " ".join(f"{value:g}" for value in answer.box_xyxy),
                regions[answer.members[0]].colour,
                len(answer.members),
                ", ".join(f"{term} {value:+.1f}" for term, value in answer.reasons.items()),
            )
            for answer in grounding.answers
        ],
    )
    return 0


def _model(workspace: Workspace) -> GroundingModel:
    """Read the model, or learn it and keep it where there is a working folder."""
    from api.cli.printing import progress_bar
    from scenes.grounding.model import GroundingModel

    path = workspace.model("full", "grounding") / "grounding.npz"
    if path.is_file():
        return GroundingModel.load(path)
    with progress_bar("learning from drawn flags", "flags") as progress:
        model = GroundingModel.from_drawings(progress=progress)
    if workspace.folder.is_dir():
        model.save(path)
    return model


def _as_json(grounding: Grounding, regions: list[Region]) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "phrase": asdict(grounding.phrase),
        "answers": [
            {
                "box_xyxy": answer.box_xyxy,
                "probability": answer.probability,
                "parts": answer.members,
                "colour": regions[answer.members[0]].colour,
                "reasons": dict(answer.reasons),
            }
            for answer in grounding.answers
        ],
    }
