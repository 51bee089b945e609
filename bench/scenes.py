"""The page of scene graphs: what is measured, by which bench, and on which page its figures are.

Command: ``python -m bench.scenes --out docs/benchmarks``, the last step of ``make bench-scenes``.
Each bench writes a page ``scenes-NAME.md`` of its own; this one lists those that are there.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from kg.files import atomic_write

__all__ = ["main", "page"]

_HEAD = """# Scene graphs

Each page names its command, commit, date, machine and seeds. VRD here is annotations without
pictures (`data/scenes/vrd`): boxes and labels are given. Settings were chosen on a part of
train that is fixed by the hash of the image's name.
"""


def page(folder: Path) -> str:
    """Return the page over the pages ``scenes-*.md`` of a folder, each by its title."""
    rows = []
    for path in sorted(folder.glob("scenes-*.md")):
        title = path.read_text(encoding="utf-8").split("\n", 1)[0].removeprefix("# ")
        rows.append(f"- [{title}]({path.name})")
    return "\n".join([_HEAD, *rows, ""])


def main(argv: Sequence[str] | None = None) -> int:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks"))
    folder = parser.parse_args(argv).out
    text = page(folder)
    with atomic_write(folder / "scenes.md") as file:
        file.write(text.encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
