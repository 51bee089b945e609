"""Names made comparable, the base built from a graph, and the indexes over it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer

from kg.errors import InputError
from kg.model import Edge, Entity
from kg.provenance import Provenance
from linkers import KnowledgeBase, Mention
from linkers.aliases import SURFACE_SIGNALS, AliasIndex
from linkers.candidates import candidates
from linkers.common_english import COMMON_ENGLISH
from linkers.evidence import SIGNALS
from linkers.facts import FactIndex, spot
from linkers.names import is_code, latin, normalised, sound
from linkers.ngrams import PieceIndex, character_pieces
from linkers.priors import Priors
from linkers.thumbnails import ThumbnailIndex
from tests.linkers.small_world import COUNTRIES, TOLD, key, world


@given(st.text(max_size=30))
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("São Tomé & Príncipe", "sao tome and principe"),
        ("The Gambia", "Gambia"),
        ("CÔTE D'IVOIRE", "cote d'ivoire"),
        ("Guinea-Bissau", "guinea bissau"),
    ],
)
def test_spellings_of_one_name(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


def test_a_code_is_not_a_word() -> None:
    assert normalised("IN") != normalised("in")
    assert is_code("USA")
    assert not is_code("Us")
    assert not is_code("NATO")


def test_sounds_cross_scripts() -> None:
    assert sound("Brazil") == sound("브라질")
    assert sound("Peru") == sound("ペルー") == sound("Перу")
    assert latin("Αθήνα") == "athina"


def test_piece_index_equals_scikit_learn() -> None:
    texts = ["peru", "the republic of chile", "chilean", "bolivia bolivia"]
    ours = PieceIndex(texts, lambda text: character_pieces(text, (2, 4)))
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4))
    matrix = vectorizer.fit_transform(texts)
    for query in ("chile", "bolivian", "peru of the", "zzz", ""):
        theirs = (vectorizer.transform([query]) @ matrix.T).toarray()[0]
        # pieces that no text holds: scikit-learn leaves them out of the query's length, as we do
        np.testing.assert_allclose(ours.similarities(query), theirs, atol=1e-5)


def test_common_english_is_scikit_learns_list() -> None:
    assert COMMON_ENGLISH == ENGLISH_STOP_WORDS


def test_descriptions_are_facts_and_never_the_name() -> None:
    base = world()
    text = base.descriptions[base.ids[key("PE")]]
    assert text == "Country. borders: Bolivia, Chile. has capital: Lima."
    assert all(
        e.name not in d
        for e, d in zip(base.entities, base.descriptions, strict=True)
        if e.name not in ("Guinea", "Guinea-Bissau")
    )


def test_links_of_earlier_jobs_are_no_facts() -> None:
    base = world()
    linked = (Provenance(kind="linked", source="mentions", probability=0.99),)
    edge = Edge(head=key("PE"), relation="exports_to", tail=key("US"), provenance=linked)
    both = KnowledgeBase.build(
        [*base.entities, *base.context], [*base.edges, edge], labels={"Country"}
    )
    assert both.descriptions == base.descriptions
    assert (both.peers != base.peers).nnz == 0


def test_a_withheld_entity_leaves_no_trace() -> None:
    base = world().without([key("PE")])
    assert key("PE") not in base.ids
    assert not any("Peru" in text for text in base.descriptions)
    assert normalised("Pérou") not in base.spellings


def test_base_refuses_doubles_and_emptiness() -> None:
    peru = Entity(key=key("PE"), label="Country", name="Peru")
    with pytest.raises(InputError, match="twice"):
        KnowledgeBase.build([peru, peru])
    with pytest.raises(InputError, match="no entity"):
        KnowledgeBase.build([peru], labels={"City"})


def test_order_of_entities_and_edges_does_not_matter() -> None:
    base = world()
    turned = KnowledgeBase.build(
        [*base.context, *reversed(base.entities)], list(reversed(base.edges)), labels={"Country"}
    )
    assert turned.entities == base.entities
    assert turned.descriptions == base.descriptions


def signal(rows: np.ndarray, name: str) -> np.ndarray:
    return rows[SURFACE_SIGNALS.index(name)]


def test_alias_index() -> None:
    base = world()
    index = AliasIndex(base)
    exact = signal(index.rows("Guinea"), "exact name")
    assert set(np.flatnonzero(exact)) == {base.ids[key("GN")], base.ids[key("GW")]}
    assert signal(index.rows("US"), "exact name").argmax() == base.ids[key("US")]
    assert not index.rows("us")[0].any()
    assert not index.rows("").any()
    assert signal(index.rows("Перу"), "Latin n-grams").argmax() == base.ids[key("PE")]
    assert signal(index.rows("Bolivian"), "plain n-grams").argmax() == base.ids[key("BO")]
    assert signal(index.rows("Bolivian"), "stem")[base.ids[key("BO")]] > 0.99
    for rows in (index.rows("Bolivian"), index.rows("Guinea")):
        assert rows.min() >= 0
        assert rows.max() <= 1 + 1e-6


def test_facts_name_their_owner() -> None:
    base = world()
    index = FactIndex(base)
    assert index.surface_rows("Lima")[0].argmax() == base.ids[key("PE")]
    assert not index.surface_rows("Oslo")[0].any()
    rows = index.context_rows("lies between Spain and Germany")
    assert rows[0].argmax() == base.ids[key("FR")]
    assert rows[3, base.ids[key("ES")]] == 1.0
    by_document = index.context_rows("", also=[base.ids[key("ES")], base.ids[key("DE")]])
    assert by_document[0].argmax() == base.ids[key("FR")]


def test_spotting_takes_the_longest_name_and_no_lower_case() -> None:
    base = world()
    (found,) = spot("the United States and chile, Guinea-Bissau; IN us", base.spellings)
    names = {base.entities[i].key for i in found}
    assert names == {key("US"), key("GW"), key("IN")}


def test_candidates_are_bounded_and_best_first() -> None:
    rows = np.random.default_rng(0).random((len(SIGNALS), 500)).astype(np.float32)
    found = candidates(rows, limit=64)
    assert len(found) == len(set(found)) == 64
    assert found[0] == int(rows[SIGNALS.index("exact name")].argmax())
    assert candidates(np.zeros_like(rows)) == []
    one = np.zeros_like(rows)
    one[SIGNALS.index("named fact"), 7] = 0.1
    assert candidates(one) == [7]


def test_priors() -> None:
    mentions = [Mention(id=str(n), surface="Burma") for n in range(3)]
    priors = Priors.learn(mentions, [key("MM"), key("MM"), None])
    assert priors.of("BURMA") == {key("MM"): pytest.approx(0.4)}
    assert priors.of("Siam") == {}
    assert priors.apart_from("Burma", key("MM"), wholly=False).of("Burma") == {
        key("MM"): pytest.approx(0.25)
    }
    assert priors.apart_from("Burma", key("MM"), wholly=True).of("Burma") == {}
    assert Priors(priors.to_json()).of("Burma") == priors.of("Burma")


def test_thumbnails_find_a_crop_and_a_shade() -> None:
    generator = np.random.default_rng(0)
    images = [
        generator.integers(0, 256, (6, 8, 3), dtype=np.uint8).repeat(12, 0).repeat(12, 1)
        for _ in range(8)
    ]
    index = ThumbnailIndex([*images, None])
    crop = images[3][:50, :67]
    dark = (images[5] * 0.6).astype(np.uint8)
    assert index.rows(crop)[0].argmax() == 3
    assert index.rows(dark)[1].argmax() == 5
    assert index.rows(images[2])[2].argmax() == 2
    assert index.rows(images[2])[:, 8].tolist() == [0, 0, 0]
    assert not index.rows(None).any()


def test_the_test_world_is_what_it_says() -> None:
    assert len(world()) == len(COUNTRIES)
    assert TOLD[0].kind == "asserted"
