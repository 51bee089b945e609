"""Docs that cannot rot: generated pages agree with the code, links lead somewhere, no orphans."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from api.cli.main import make_parser
from api.settings import Settings
from docs.generate import FOLDER, commands, error_classes, pages

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)(#[^)]*)?\)")


def headings(page: str) -> set[str]:
    return set(re.findall(r"^## (.+)$", page, flags=re.MULTILINE))


@pytest.mark.parametrize("name", ["commands.md", "errors.md", "rest.md", "settings.md"])
def test_generated_pages_are_up_to_date(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == pages()[name], "run `make docs`"


def test_every_command_error_and_setting_has_its_heading_and_no_other() -> None:
    written = {name: headings((FOLDER / name).read_text(encoding="utf-8")) for name in pages()}
    assert written["commands.md"] == {f"umbra {name}" for name, _ in commands(make_parser())}
    assert written["errors.md"] == {kind.slug for kind in error_classes()}
    assert written["settings.md"] == set(Settings.model_fields)


def test_what_is_said_of_a_setting_is_whole() -> None:
    page = (FOLDER / "settings.md").read_text(encoding="utf-8")
    for section in page.split("\n## ")[1:]:
        name, _, said = section.strip().partition("\n\n")
        assert said.rsplit(" Default: `", 1)[0].endswith("."), f"{name}: {said}"


def test_every_command_shows_examples() -> None:
    for name, parser in commands(make_parser()):
        assert f"umbra {name.split()[0]}" in (parser.epilog or ""), f"umbra {name} has no example"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target, _ in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_page_of_figures_is_listed() -> None:
    folder = ROOT / "docs" / "benchmarks"
    listed = {name for name, _ in LINK.findall((folder / "index.md").read_text(encoding="utf-8"))}
    assert {page.name for page in folder.glob("*.md")} - {"index.md"} == listed
