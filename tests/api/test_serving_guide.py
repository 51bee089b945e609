"""docs/serving.md: its problems are those of the table (tests/api/test_guides_run.py runs it)."""

from __future__ import annotations

import re
from pathlib import Path

from api.errors import HTTP_PROBLEMS, OUTCOMES

TEXT = (Path(__file__).parents[2] / "docs" / "serving.md").read_text(encoding="utf-8")


def test_problems_are_those_of_the_table() -> None:
    statuses = {slug: outcome.status for slug, outcome in HTTP_PROBLEMS.items()}
    statuses |= {kind.slug: outcome.status for kind, outcome in OUTCOMES.items()}
    rows = re.findall(r"^\| (\d{3}) \| (.+?) \|", TEXT, re.MULTILINE)
    assert rows
    for status, slugs in rows:
        for slug in re.findall(r"`(.+?)`", slugs):
            assert statuses[slug] == int(status)
