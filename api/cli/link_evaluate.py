"""`umbra link evaluate`: how good linking is on published mentions."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

__all__ = ["add_parser", "run"]

EXAMPLES = """examples:
  umbra link evaluate wikidiverse.jsonl.gz --entities entities.jsonl.gz --json run.json
  umbra link evaluate new.jsonl --entities entities.jsonl --train old.jsonl --json run.json
  umbra link evaluate emoji.jsonl.gz --entities emoji.jsonl.gz --json run.json \\
    --entity-images emoji_64.npz:openmoji --train-images emoji_64.npz:noto \\
    --mention-images emoji_64.npz:twemoji

Pictures are FILE.npz:ARRAY (uint8, a picture a row of the file it belongs to) or a folder of files
named after a row's `image`, `id` or `entity_id`; the linker is then the one of `linkers.visual`.
Figures are over the whole base, ties at their realistic rank. Beside OUT: the value of each mention
(.units.npz), by which `umbra compare` pairs runs. UMBRA_TEXT_ENCODER and UMBRA_IMAGE_ENCODER name
the encoders.
"""


def add_parser(actions: Any) -> None:
    """Declare the command; `--json` names a file here, so the common options stay out."""
    parser = actions.add_parser(
        "evaluate",
        help="judge linking on a published set of mentions",
        description="Train a linker on mentions with known entities and judge it on others.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("mentions", type=Path, help="mentions with entity_id: JSONL, plain or gzip")
    add("--entities", type=Path, required=True, help="the base: entity_id and name, JSONL")
    add("--json", type=Path, required=True, metavar="OUT", help="result file")
    add(
        "--train",
        type=Path,
        help="mentions to learn from (default: MENTIONS' own train split, else nothing is learnt)",
    )
    add("--valid", type=Path, help="mentions to calibrate by (default: MENTIONS' own valid split)")
    add("--split", default="test", help="which split is judged (default test)")
    add(
        "--withhold",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="take this share of the entities out of the base: their mentions are NIL",
    )
    add("--withhold-seed", type=int, default=0, help="which entities these are (default 0)")
    add("--trees", type=int, default=250, help="boosted trees of the ranker (default 250)")
    add("--no-memory", action="store_true", help="rank without what training mentions tell")
    add("--seed", type=int, default=0, help="of the training (default 0)")
    add("--cache", type=Path, metavar="FOLDER", help="keeps the encoder's vectors between runs")
    add("--save", type=Path, metavar="FOLDER", help="keeps the trained linker")
    pictures = parser.add_argument_group("pictures")
    add = pictures.add_argument
    add("--mention-images", metavar="PICTURES", help="of the rows of MENTIONS")
    add("--entity-images", metavar="PICTURES", help="of the rows of ENTITIES")
    add(
        "--train-images",
        metavar="PICTURES",
        help="of the rows of --train, or of MENTIONS as its train split is to be seen (default: "
        "--mention-images)",
    )
    add("--no-words", action="store_true", help="look at pictures alone")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate and print the figures."""
    import shlex
    import sys

    from api.cli.printing import print_result, print_warning, progress_bars
    from api.settings import load_settings
    from api.steps.encoders import text_encoder_named
    from api.steps.evaluate_linking import LinkEvaluation, evaluate_linking
    from linkers.boosted import RankerConfig, TreeConfig

    if any((arguments.mention_images, arguments.entity_images, arguments.train_images)):
        return _run_pictures(arguments, shlex.join(["umbra", *sys.argv[1:]]))
    task = LinkEvaluation(
        mentions=arguments.mentions,
        entities=arguments.entities,
        train=arguments.train,
        valid=arguments.valid,
        split=arguments.split,
        withhold=arguments.withhold,
        withhold_seed=arguments.withhold_seed,
        cache=arguments.cache,
        save=arguments.save,
    )
    with progress_bars() as bars:
        result = evaluate_linking(
            task,
            encoder=text_encoder_named(load_settings().text_encoder, None),
            out=arguments.json,
            config=RankerConfig(
                memory=not arguments.no_memory, trees=TreeConfig(trees=arguments.trees)
            ),
            seed=arguments.seed,
            command=shlex.join(["umbra", *sys.argv[1:]]),
            bars=bars,
            warn=print_warning,
        )
    print_result("link evaluation", result, arguments.json)
    return 0


def _run_pictures(arguments: argparse.Namespace, command: str) -> int:
    """Evaluate linking of pictures and print the figures."""
    from api.cli.printing import print_outcome, print_warning, progress_bar
    from api.settings import load_settings
    from api.steps.encoders import layered_encoder_named, text_encoder_named
    from api.steps.evaluate_pictures import PictureEvaluation, evaluate_pictures
    from kg.errors import SettingError

    images = {"--mention-images": "mention_images", "--entity-images": "entity_images"}
    for option, name in images.items():
        if getattr(arguments, name) is None:
            raise SettingError("pictures of mentions and of entities go together", where=option)
    unused = {"--valid": arguments.valid, "--withhold": arguments.withhold}
    for option, value in unused.items():
        if value:
            raise SettingError("has no meaning for linking by pictures", where=option)
    task = PictureEvaluation(
        mentions=arguments.mentions,
        entities=arguments.entities,
        mention_images=arguments.mention_images,
        entity_images=arguments.entity_images,
        train=arguments.train,
        train_images=arguments.train_images,
        split=arguments.split,
        words=not arguments.no_words,
        cache=arguments.cache,
        save=arguments.save,
    )
    settings = load_settings()
    with progress_bar("encoding", "pictures") as progress:
        result = evaluate_pictures(
            task,
            images=layered_encoder_named(settings.image_encoder, arguments.cache),
            texts=text_encoder_named(settings.text_encoder, None),
            out=arguments.json,
            seed=arguments.seed,
            command=command,
            progress=progress,
            warn=print_warning,
        )
    print_outcome(
        "link evaluation",
        {name: round(value, 4) for name, value in result.metrics.items()}
        | {
            f"hits_at_1 by {name}": round(part["hits_at_1"], 4)
            for name, part in result.by["modality"].items()
        }
        | {"result": str(arguments.json)},
        as_json=False,
    )
    return 0
