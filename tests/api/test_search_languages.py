"""The setting of languages reaches the search, and what it finds is marked."""

from __future__ import annotations

from pathlib import Path

from api.engine import Engine
from api.search.highlights import Sought, highlights
from api.settings import load_settings
from api.workspace import Workspace
from kg.backends.memory import MemoryStore
from kg.model import Entity, EntityKey
from kg.stemming import Stems

HOUSES = Entity(key=EntityKey("one"), label="Thing", name="Alte Häuser")


def of(houses: Entity) -> MemoryStore:
    store = MemoryStore()
    store.upsert_entities([houses])
    return store


def test_the_setting_decides_which_inflections_are_found(tmp_path: Path) -> None:
    file = tmp_path / "umbra.toml"
    for text, found in (("", []), ('text_languages = ["en", "de"]', ["one"])):
        file.write_text(text)
        engine = Engine(Workspace(tmp_path), settings=load_settings(file), store=of(HOUSES))
        assert [hit.key for hit in engine.search.words.search("haus")] == found


def test_a_highlight_marks_the_inflection() -> None:
    store = of(HOUSES)
    (shown,) = highlights(store, HOUSES, Sought.of("haus", Stems(["de"])), "passage")
    assert [shown.text[a:b] for a, b in shown.spans] == ["Häuser"]
    assert highlights(store, HOUSES, Sought.of("haus", Stems()), "passage") == ()
