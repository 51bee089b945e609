"""Which graph `umbra ask` asks: that of the working folder, or a graph folder by its own model."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from kg.errors import InputError

if TYPE_CHECKING:
    from api.engine import Engine

__all__ = ["add_graph", "open_asked"]


def add_graph(parser: argparse.ArgumentParser) -> None:
    """Declare the options of another graph than the working folder's."""
    parser.add_argument(
        "--graph", metavar="FOLDER", help="ask a graph folder, or a data set by its name"
    )
    parser.add_argument(
        "--model", type=Path, metavar="DIR", help="its model (folder of umbra train FOLDER --out)"
    )
    parser.add_argument(
        "--known",
        choices=("train", "train+valid", "all"),
        help="edges of --graph that count as known (default train, as the model was fitted)",
    )


def open_asked(arguments: argparse.Namespace) -> Engine:
    """Open the graph that is asked.

    Raises:
        InputError: Options of both kinds of graphs are given, or one of a pair is missing.
    """
    from api.engine import Engine

    if arguments.graph is None:
        if arguments.model is not None or arguments.known is not None:
            raise InputError("--model and --known need --graph FOLDER, the graph of the model")
        return Engine.open(arguments.folder, snapshot=arguments.snapshot)
    if arguments.model is None:
        raise InputError(
            "--graph needs --model DIR", hint="train one: umbra train FOLDER --out DIR"
        )
    if arguments.snapshot != "full":
        raise InputError("--snapshot is one of a working folder; --graph has --known")
    from api.asked_folder import FolderEngine
    from api.data_sets import graph_folder
    from api.settings import load_settings
    from api.workspace import find_workspace

    return FolderEngine(
        graph_folder(arguments.graph, working_folder=arguments.folder),
        arguments.model,
        known=arguments.known or "train",
        settings=load_settings(find_workspace(arguments.folder).settings),
    )
