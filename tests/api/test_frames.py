"""Tables in, tables out; and what a notebook shows."""

from __future__ import annotations

import pandas as pd
import pytest

import umbra
from api.frames import ask_frame, link_frame, search_frame
from api.settings import Settings
from kg.errors import InputError, MissingPartError
from kg.model import EntityKey
from linkers.model import Link, Mention
from tests.api.world import WorldEngine, open_world

ARABIC = "MATCH (c:Country)-[:speaks]->(:Language {key: $language}) RETURN c"
PAIRS = "MATCH (a:Country)-[:borders]->(b:Country)-[:speaks]->(l:Language) RETURN a, b"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> WorldEngine:
    settings = Settings(text_encoder="tiny")
    return open_world(tmp_path_factory.mktemp("frames") / ".umbra", settings=settings)


def test_answers_are_rows(engine: WorldEngine) -> None:
    options = {"parameters": {"language": "language:ara"}, "k": 3}
    frame = umbra.ask_frame(engine, ARABIC, **options)
    answers = engine.ask(ARABIC, **options).answers  # type: ignore[arg-type]
    assert list(frame.columns) == ["key", "name", "label", "status", "probability", "score"]
    assert frame["key"].tolist() == [answer.key for answer in answers]
    assert frame["probability"].tolist() == [answer.probability for answer in answers]


@pytest.mark.parametrize(
    "question", ["MATCH (c:Country) RETURN c", "MATCH (a)-[:borders]->(b:Country) RETURN a, b"]
)
def test_all_pages_make_one_table(engine: WorldEngine, question: str) -> None:
    whole = ask_frame(engine, question, every=True)
    assert len(whole) > 6
    assert len(ask_frame(engine, question, k=6)) == 6
    assert ask_frame(engine, question, every=True, k=6).equals(whole)


def test_several_variables_and_counts_have_their_columns(engine: WorldEngine) -> None:
    frame = ask_frame(engine, PAIRS, answerer="exact")
    assert list(frame.columns) == ["a", "a_name", "b", "b_name"]
    assert ("country:TR", "country:SY") in set(zip(frame["a"], frame["b"], strict=True))
    counted = ask_frame(engine, "MATCH (c:Country) RETURN count(c)")
    assert counted["known"].tolist() == [13]
    nothing = ask_frame(engine, ARABIC, parameters={"language": "shape:crescent"}, answerer="exact")
    assert (len(nothing), "key" in nothing) == (0, True)


def test_hits_are_rows(engine: WorldEngine) -> None:
    frame = search_frame(engine, "turkei", k=2)
    assert frame["key"].tolist() == [hit.key for hit in engine.search("turkei", k=2).hits]


class Linker:
    """Knows Turkey by name, and by its capital."""

    class base:  # noqa: N801 - stands for the attribute
        keys = (EntityKey("country:TR"),)
        names = (("Turkey",),)

    def link(self, mentions: list[Mention]) -> list[Link]:
        return [self._link(mention) for mention in reversed(mentions)]

    def _link(self, mention: Mention) -> Link:
        known = "Turkey" in mention.context or "Ankara" in mention.context
        return Link(
            mention=mention.id, state="linked" if known else "nil",
            entity=EntityKey("country:TR") if known else None, probability=0.75,
            nil_probability=0.25,
        )  # fmt: skip


def test_a_column_is_linked_on_its_index(
    engine: WorldEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.steps.open_linker.open_linker", lambda _engine: Linker())
    table = pd.DataFrame(
        {"place": ["Turkey", None, "it", "it"], "text": ["", "x", "it has Ankara", pd.NA]},
        index=[7, 7, 9, 1],
    )
    for kind in (object, "str", "string"):  # missing values are None, NaN and NA
        linked = link_frame(engine, table.astype(kind), surface="place", context="text")
        assert linked.index.tolist() == [7, 7, 9, 1]  # a row is one row, whatever it is called
        assert linked["entity"].isna().tolist() == [True, True, False, True]
        assert linked["name"].tolist()[2] == "Turkey"
        assert linked["state"].tolist()[2:] == ["linked", "nil"]
        assert pd.isna(linked["state"].iloc[1])
    assert "entity" not in table.columns
    alone = link_frame(engine, table[["place"]].iloc[:1], surface="place")
    assert alone["entity"].tolist() == ["country:TR"]
    for bad, options in (
        (table, {"surface": "city"}),
        (table, {"surface": "place", "context": "city"}),
        (table.assign(state="x"), {"surface": "place"}),
    ):
        with pytest.raises(InputError):
            link_frame(engine, bad, **options)


def test_without_a_linker_a_table_is_told(engine: WorldEngine) -> None:
    with pytest.raises(MissingPartError):
        link_frame(engine, pd.DataFrame({"place": ["Turkey"]}), surface="place")


def test_a_notebook_shows_tables_and_runs_nothing(engine: WorldEngine) -> None:
    shown = engine.ask("MATCH (c:Country) RETURN c", k=20)._repr_html_()
    assert shown.count("<tr>") == 14
    assert "<img" not in shown
    assert "&lt;img src=x" in shown
    assert "<td>Turkey</td>" in engine.search("turkey")._repr_html_()
    pairs = engine.ask(PAIRS, k=2, answerer="exact")._repr_html_()
    assert "<th>b</th>" in pairs
    assert "known answers only" in pairs
    assert "and more" in pairs
    assert "and more" not in shown
    assert "and more" in engine.search("republic", k=1)._repr_html_()
    assert "13 known" in engine.ask("MATCH (c:Country) RETURN count(c)")._repr_html_()
