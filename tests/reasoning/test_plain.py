"""Questions in plain English: what rules read is what the sentence says, and nothing is guessed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import InputError, QuerySyntaxError
from kg.model import Edge, Entity, EntityKey
from kg.provenance import Provenance
from kg.snapshot import Snapshot, build_snapshot
from reasoning.exact import evaluate
from reasoning.notations import read_query
from reasoning.plain import Lexicon, read_plain, stem

TOLD = (Provenance(kind="asserted", source="atlas"),)
BORDERS = ("A B", "A C", "B C", "C D", "D E")
SPEAKS = {"A": "Xish", "B": "Xish Yan", "C": "Yan", "D": "Zulu", "E": "Xish"}
REGIONS = {"A": "North", "B": "North", "C": "South", "D": "South", "E": "South"}


@pytest.fixture(scope="module")
def graph() -> Snapshot:
    names = {one: f"{one}land" for one in SPEAKS}
    entities = [
        Entity(key=EntityKey(f"c:{one}"), label="Country", name=name,
               attributes={"area": 100.0 * (1 + number), "landlocked": number % 2 == 0})
        for number, (one, name) in enumerate(names.items())
    ]  # fmt: skip
    for label, prefix, found in (
        ("Language", "l", ("Xish", "Yan", "Zulu")), ("Region", "r", ("North", "South")),
    ):  # fmt: skip
        entities += [Entity(key=EntityKey(f"{prefix}:{n}"), label=label, name=n) for n in found]
    edges = []
    for pair in BORDERS:
        one, other = pair.split()
        edges += [("c:" + one, "borders", "c:" + other), ("c:" + other, "borders", "c:" + one)]
    edges += [(f"c:{c}", "speaks", f"l:{x}") for c, said in SPEAKS.items() for x in said.split()]
    edges += [(f"c:{c}", "in_region", f"r:{region}") for c, region in REGIONS.items()]
    edges += [("c:A", "exports_to", "c:E"), ("c:E", "exports_to", "c:B")]
    return build_snapshot(
        entities,
        [
            Edge(head=EntityKey(h), relation=r, tail=EntityKey(t), provenance=TOLD)
            for h, r, t in edges
        ],
    )


QUESTIONS = {
    "Which countries border Cland?": "A B D",
    "Which countries does Dland border?": "C E",
    "What do the countries in the North speak?": "Xish Yan",
    "Which languages are spoken in Bland?": "Xish Yan",
    "Aland exports to which countries?": "E",
    "Which countries export to Bland?": "E",
    "Which countries does Eland export to?": "B",
    "languages of countries that border Eland": "Zulu",
    "countries that border Aland and Bland": "C",
    "countries that border Aland or Eland": "B C D",
    "countries that speak Xish, border Cland and are in the North": "A B",
    "Which countries border Cland but do not speak Xish?": "D",
    "Which countries border Cland but not Eland?": "A B",
    "countries in the South where Xish is spoken": "E",
    "countries where Xish isn't spoken that border Cland": "D",
    "Which languages are spoken in countries that border Aland or Eland?": "Xish Yan Zulu",
    "Which countries border a country that speaks Zulu, and speak Yan?": "C",
    "countries in the region of South that speak the language Xish": "E",
    "countries that speak Zulu or border Bland": "A C D",
    "Which landlocked countries are in the South?": "C E",
    "countries that are not landlocked and border Cland": "B D",
    "countries with an area over 300": "D E",
    "countries whose area is at most 2 and that speak Xish": "",
}  # fmt: skip


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_means_what_it_says(graph: Snapshot, question: str) -> None:
    found = read_plain(question, Lexicon(graph))
    names = {graph.entities.name(i).partition(":")[2] for i in evaluate(found.tree, graph, 0.9)}
    assert names == set(QUESTIONS[question].split())
    for one in found.heard:
        assert question[one.start : one.end] == one.words


@pytest.mark.parametrize(
    ("question", "place"),
    [("", 0), ("Which countries?", 16), ("hello there", 0), ("Which countries admire Aland?", 16),
     ("Which countries border Atlantis?", 16), ("x" * 1001, None)],
)  # fmt: skip
def test_what_is_not_understood_is_refused_with_its_place(
    graph: Snapshot, question: str, place: int | None
) -> None:
    with pytest.raises(QuerySyntaxError) as refused:
        read_plain(question, Lexicon(graph))
    assert refused.value.position == place


def test_names_labels_and_the_store_s_aliases_are_found_in_any_case(graph: Snapshot) -> None:
    aliases: Mapping[EntityKey, tuple[str, ...]] = {EntityKey("c:A"): ("the Old Kingdom", "IN")}
    lexicon = Lexicon(graph, aliases)
    plain = read_plain("which Country borders the old kingdom", lexicon).tree
    assert plain == read_plain("Which countries border Aland?", lexicon).tree
    assert read_plain("countries bordering IN", lexicon).tree == plain
    inside = read_plain("countries in the North", lexicon)
    assert inside.heard[0].relation == "in_region"


def test_a_likeness_of_vectors_finds_what_the_name_does_not(graph: Snapshot) -> None:
    def encode(texts: list[str]) -> np.ndarray:
        near = {"admire": 0, "borders": 0, "speaks": 1, "in region": 2, "exports to": 3}
        return np.eye(5, dtype=np.float32)[[near.get(text, 4) for text in texts]]

    found = read_plain("Which countries admire Cland?", Lexicon(graph, encode=encode))
    assert [(one.relation, one.how) for one in found.heard] == [("borders", "likeness")]


WORDS = (
    "which", "countries", "country", "that", "border", "speak", "in", "the", "Aland", "Bland",
    "Xish", "and", "or", "not", ",", "but", "by", "of", "a", "do", "does", "where", "language",
    "area", "over", "300", "landlocked", "s's",
)  # fmt: skip


@given(
    st.lists(
        st.sampled_from(WORDS),
        max_size=14,
    )
)
def test_no_sequence_of_words_breaks_the_reader(graph: Snapshot, said: list[str]) -> None:
    with suppress(InputError):
        evaluate(read_plain(" ".join(said), Lexicon(graph)).tree, graph, 0.9)


def test_stems_join_forms_of_a_word() -> None:
    for forms in ("border borders bordering bordered", "country countries", "use uses used using"):
        assert len({stem(form) for form in forms.split()}) == 1


def test_what_is_read_is_what_cypher_reads(graph: Snapshot) -> None:
    found = read_plain("Which countries border Cland but do not speak Xish?", Lexicon(graph))
    text = (
        "MATCH (c:Country)-[:borders]->({name: 'Cland'})"
        " WHERE NOT (c)-[:speaks]->({name: 'Xish'}) RETURN c"
    )
    wanted = read_query(text, snapshot=graph)
    assert list(evaluate(found.tree, graph, 0.9)) == list(evaluate(wanted, graph, 0.9))
