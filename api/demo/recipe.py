"""What a demo does, read from its `demo.toml`: files, columns, the split, the questions."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kg.errors import ForeignFileError, MissingPartError

__all__ = ["Question", "Recipe", "load_recipe"]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class GraphTable(_Table):
    """The files that make the graph."""

    mapping: str


class ScenesTable(_Table):
    """The pictures to take apart and the prose that labels them weakly."""

    label: str
    descriptions: str
    drawn_alike: str


class LinkingTable(_Table):
    """The mentions that train and test the linker."""

    label: str
    mentions: str
    gold_key: str
    withheld: str
    pictures: str
    drawn_alike: str


class EdgesTable(_Table):
    """The mentions whose links become edges."""

    mentions: str
    head_key: str
    relation: str
    attributes: tuple[str, ...] = ()


class HoldOutTable(_Table):
    """Which edges the evaluation snapshot lacks."""

    relations: tuple[str, ...]
    undirected: tuple[str, ...] = ()
    share: float = Field(gt=0, lt=1)
    group_relation: str


class TrainingTable(_Table):
    """Which models are trained on which snapshot; the first one is the default answerer."""

    evaluation: tuple[Literal["symbolic", "rough", "cone"], ...] = Field(min_length=1)
    full: tuple[Literal["symbolic", "rough", "cone"], ...]


class Question(_Table):
    """A question of the report."""

    title: str
    query: str


class Recipe(_Table):
    """All of a demo.

    Attributes:
        folder: Where its files lie.
    """

    name: str
    seed: int = 0
    folder: Path
    graph: GraphTable
    scenes: ScenesTable
    linking: LinkingTable
    edges_from_links: EdgesTable
    hold_out: HoldOutTable
    training: TrainingTable
    questions: tuple[Question, ...]

    def path(self, name: str) -> Path:
        """Return the path of one of its files."""
        return self.folder / name


def load_recipe(folder: Path) -> Recipe:
    """Read the recipe of a folder.

    Raises:
        MissingPartError: There is no `demo.toml`.
        ForeignFileError: It is not a recipe; the field is named.
    """
    path = folder / "demo.toml"
    if not path.exists():
        raise MissingPartError(
            "no demo here", where=str(path), hint="name a folder such as examples/countries"
        )
    try:
        return Recipe(folder=folder.absolute(), **tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ForeignFileError(f"not valid TOML: {error}", where=str(path)) from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise ForeignFileError(f"{field}: {first['msg']}", where=str(path)) from error
