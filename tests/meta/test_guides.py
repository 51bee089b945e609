"""Guides whose code needs no graph: it runs and prints what they say; pictures are those drawn."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from docs.draw_concepts import FOLDER, pictures
from linkers.review.label_studio import CONFIG

DOCS = Path(__file__).resolve().parents[2] / "docs"
BLOCK = re.compile(
    r"(?P<skip><!-- not run: .*? -->\n)?```(?P<kind>\w+)\n(?P<text>.*?)```", re.DOTALL
)


def blocks(page: str) -> list[re.Match[str]]:
    return list(BLOCK.finditer((DOCS / f"{page}.md").read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("page", "fewest"),
    [
        ("add-a-model", 7),
        ("bring-your-own-encoder", 4),
        ("formats", 1),
        ("link-probabilities", 4),
        ("rare-and-new-predicates", 2),
        ("undo", 1),
    ],
)
def test_the_code_of_a_guide_runs_and_prints_what_it_says(page: str, fewest: int) -> None:
    names: dict[str, object] = {}
    printed: str | None = None
    ran = 0
    for block in blocks(page):
        if block["kind"] == "python" and not block["skip"]:
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile(block["text"], f"{page}.md", "exec"), names)  # noqa: S102
            printed, ran = out.getvalue(), ran + 1
        elif block["kind"] == "text" and printed is not None:
            assert printed == block["text"]
            printed = None
    assert ran >= fewest


def test_the_guide_to_review_shows_the_configuration_of_label_studio() -> None:
    assert CONFIG in {block["text"] for block in blocks("review-links")}


def test_the_tree_in_the_guide_to_answers_is_the_golden_one() -> None:
    golden = DOCS.parent / "tests" / "golden" / "proofs" / "proof.txt"
    assert golden.read_text(encoding="utf-8") in {b["text"] for b in blocks("read-an-answer")}


@pytest.mark.parametrize("name", ["cone.svg", "cone-operators.svg", "rough-truth.svg"])
def test_pictures_are_those_that_the_code_draws(name: str) -> None:
    assert pictures()[name] == (FOLDER / name).read_bytes(), "run python -m docs.draw_concepts"
