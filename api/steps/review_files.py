"""The steps that bring decisions to other tools and back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from kg.errors import ConflictError, InputError, LimitError, SettingError
from kg.formats.records import Reject

if TYPE_CHECKING:
    from linkers.review import Review
    from linkers.review.exchange import Names

__all__ = ["FORMATS", "ReviewFormat", "export_review", "format_of", "import_review"]

ReviewFormat = Literal["label-studio", "sssom", "pairs"]
FORMATS: tuple[ReviewFormat, ...] = get_args(ReviewFormat)
_ENDINGS: dict[str, ReviewFormat] = {".json": "label-studio", ".tsv": "sssom", ".jsonl": "pairs"}


def format_of(path: Path, named: str | None) -> ReviewFormat:
    """Return the format that is named, else that of the file's ending.

    Raises:
        SettingError: It is none of them.
    """
    found = named or _ENDINGS.get(path.suffix)
    for known in FORMATS:
        if known == found:
            return known
    raise SettingError(
        f"no format for {path.name!r:.80}", where="--format", hint=f"one of {', '.join(FORMATS)}"
    )


def export_review(
    review: Review, path: Path, kind: ReviewFormat, *, names: Names, licence: str | None = None
) -> dict[str, Any]:
    """Write a review for another tool; return how many rows, and where.

    Args:
        review: Whose cases and decisions.
        path: Where to.
        kind: Label Studio's tasks, SSSOM's mappings, or pairs to train with.
        names: Names of entities.
        licence: Of the mappings of SSSOM, an address.
    """
    from linkers.review.label_studio import write_tasks
    from linkers.review.sssom import UNSPECIFIED, write_sssom
    from linkers.review.training_pairs import write_pairs

    writers: dict[ReviewFormat, Callable[[], int]] = {
        "label-studio": lambda: write_tasks(review, path, names=names),
        "sssom": lambda: write_sssom(review, path, names=names, licence=licence or UNSPECIFIED),
        "pairs": lambda: write_pairs(review, path, names=names),
    }
    return {"rows": writers[kind](), "output": str(path)}


def import_review(review: Review, path: Path, kind: ReviewFormat, *, who: str) -> dict[str, Any]:
    """Make the decisions that were made in another tool; the same file again changes nothing.

    Args:
        review: Takes them.
        path: Label Studio's JSON export, or SSSOM's TSV.
        kind: Which of them.
        who: Who decided, where the file does not say.

    Returns:
        How many were made, how many held already, and what was refused, with line and reason.

    Raises:
        RecordError: The file is missing, or not of the format.
        SettingError: The format cannot be read.
    """
    from linkers.review.exchange import take_told
    from linkers.review.label_studio import read_tasks
    from linkers.review.sssom import read_sssom

    if kind == "pairs":
        raise SettingError("pairs are written only", where="--format", hint="give --decide a file")
    read = read_tasks if kind == "label-studio" else read_sssom
    made = held = 0
    rejects: list[dict[str, Any]] = []
    for row in read(path, who=who):
        if isinstance(row, Reject):
            rejects.append({"line": row.line, "reason": row.reason})
            continue
        try:
            new = take_told(review, row)
        except (InputError, ConflictError, LimitError) as error:
            rejects.append({"line": row.line, "reason": str(error)})
        else:
            made, held = made + new, held + (not new)
    return {"made": made, "held_already": held, "rejects": rejects}
