"""The steps that bring decisions to other tools and back."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, get_args

from kg.errors import ConflictError, InputError, LimitError, RecordError, SettingError
from kg.formats.records import Reject

if TYPE_CHECKING:
    from api.review_desk import ReviewDesk
    from api.review_schemas import ImportedOut, ReviewFileIn
    from linkers.review import Review
    from linkers.review.exchange import Names

__all__ = [
    "ENDINGS",
    "FORMATS",
    "MEDIA_TYPES",
    "ReviewFormat",
    "export_held",
    "export_review",
    "format_of",
    "import_held",
    "import_review",
]

ReviewFormat = Literal["label-studio", "sssom", "pairs"]
FORMATS: tuple[ReviewFormat, ...] = get_args(ReviewFormat)
ENDINGS: dict[str, ReviewFormat] = {".json": "label-studio", ".tsv": "sssom", ".jsonl": "pairs"}

MEDIA_TYPES: dict[ReviewFormat, str] = {
    "label-studio": "application/json",
    "sssom": "text/tab-separated-values",
    "pairs": "application/x-ndjson",
}
"""What such a file is over HTTP."""


def format_of(path: Path, named: str | None) -> ReviewFormat:
    """Return the format that is named, else that of the file's ending.

    Raises:
        SettingError: It is none of them.
    """
    found = named or ENDINGS.get(path.suffix)
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


def export_held(desk: ReviewDesk, kind: ReviewFormat, *, licence: str | None = None) -> IO[bytes]:
    """Return a desk's review as a file that has no name any more: it goes with its last reader."""
    with tempfile.TemporaryDirectory(prefix="review-") as folder:
        path = Path(folder) / "review"
        with desk.holding() as review:
            export_review(review, path, kind, names=desk.name, licence=licence)
        return path.open("rb")


def import_held(desk: ReviewDesk, body: ReviewFileIn) -> ImportedOut:
    """Make the decisions of a file that was sent; as `import_review`."""
    from api.review_schemas import ImportedOut

    text = body.content
    if not isinstance(text, str):
        text = json.dumps(text, ensure_ascii=False)
    with tempfile.TemporaryDirectory(prefix="review-") as folder:
        path = Path(folder) / "body"
        path.write_bytes(text.encode())
        try:
            with desk.holding() as review:
                outcome = import_review(review, path, body.format, who=body.who)
        except RecordError as error:  # not our own file's name
            raise RecordError(
                error.what, path="content", line=error.line, hint=error.hint
            ) from error
    return ImportedOut.model_validate(outcome)
