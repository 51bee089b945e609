"""Plain text in, links out: what the gazetteer and the classifier find, and what wins."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise
from pathlib import Path

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from kg.errors import InputError, LimitError, MissingPartError
from kg.model import Entity, EntityKey
from linkers import KnowledgeBase, Linker
from linkers.documents import MAX_TEXT, link_text, without_overlaps
from linkers.gazetteer import Gazetteer, Spot
from linkers.names import normalised
from linkers.token_classifier import TokenClassifier

NAMES = {
    "GN": ("Guinea", "Guinée"),
    "GW": ("Guinea-Bissau",),
    "PG": ("Papua New Guinea",),
    "KR": ("South Korea", "대한민국"),
    "CI": ("Côte d'Ivoire",),
    "GM": ("The Gambia",),
    "IN": ("India", "IN", "भारत"),
    "US": ("United States", "US", "U.S."),
    "ST": ("São Tomé & Príncipe",),
    "LC": ("St. Lucia",),
    "CN": ("China", "中国"),
    "CK": ("Cook Islands",),
}


def named(**names: tuple[str, ...]) -> KnowledgeBase:
    rows = [
        Entity(key=EntityKey(f"c:{code}"), label="Country", name=first, aliases=tuple(rest))
        for code, (first, *rest) in names.items()
    ]
    return KnowledgeBase.build(rows)


BASE = named(**NAMES)


def found(text: str) -> list[str]:
    return [text[spot.start : spot.end] for spot in Gazetteer(BASE).find(text)]


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        ("From Guinea to Guinea-Bissau and Papua New Guinea.",
         ["Guinea", "Guinea-Bissau", "Papua New Guinea"]),
        ("GUINEA, guinea; Guineas, preGuinea", ["GUINEA", "guinea"]),
        ("la Guinée, la Guine\u0301e, LA GUINE\u0301E",
         ["Guinée", "Guine\u0301e", "GUINE\u0301E"]),
        ("India's trade with Cote d’Ivoire", ["India", "Cote d’Ivoire"]),
        ("S. Korea and South\nKorea, but south. Korea", ["S. Korea", "South\nKorea"]),
        ("in the US, IN and us, IS", ["US", "IN"]),
        ("WAR IN EUROPE IS OVER", []),
        ("The U.S. and the U.S.", ["U.S", "U.S"]),
        ("Sao Tome and Principe, São Tomé & Príncipe",
         ["Sao Tome and Principe", "São Tomé & Príncipe"]),
        ("ST. LUCIA or Saint Lucia", ["ST. LUCIA", "Saint Lucia"]),
        ("The Gambia and Gambia", ["The Gambia", "Gambia"]),
        ("我爱中国。भारत में, 대한민국", ["中国", "भारत", "대한민국"]),
        ("He asked what it is. Cook is. Islands", []),
        ("", []),
        (" \n\t", []),
    ],
)  # fmt: skip
def test_what_is_found(text: str, mentions: list[str]) -> None:
    assert found(text) == mentions


def by_search(text: str, names: list[str]) -> set[tuple[int, int]]:
    """All places of names at word boundaries, by regular expression: an oracle for ASCII."""
    return {
        (place, place + len(name))
        for name in names
        for place in range(len(text))
        if re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE).match(text, place)
    }


WORDS = ["alpha", "beta", "gamma", "Alpha Beta", "beta gamma delta", "x"]


@given(st.lists(st.sampled_from([*WORDS, "alphabet", "delta", ",", "."]), max_size=12))
def test_the_gazetteer_takes_the_longest_at_each_place_that_a_search_finds(
    parts: list[str],
) -> None:
    text = " ".join(parts)
    places = by_search(text, WORDS)
    spots = [(s.start, s.end) for s in Gazetteer(named(**{w: (w,) for w in WORDS})).find(text)]
    wanted, place = [], 0
    while any(start >= place for start, _ in places):
        first = min(start for start, _ in places if start >= place)
        wanted.append((first, max(end for start, end in places if start == first)))
        place = wanted[-1][1]
    assert spots == wanted


@settings(max_examples=40)
@given(st.text(max_size=60))
def test_any_text_gives_spots_whose_spelling_is_a_name(text: str) -> None:
    spots = Gazetteer(BASE).find(text)
    assert all(normalised(text[s.start : s.end]) in BASE.spellings for s in spots)
    assert all(one.end <= other.start for one, other in pairwise(spots))


spots = st.builds(
    lambda start, size, finder, score: Spot(
        start=start, end=start + size, finder=finder, score=score
    ),
    st.integers(0, 12),
    st.integers(0, 6),
    st.sampled_from(["gazetteer", "classifier"]),
    st.floats(0, 1),
)


@given(st.lists(spots, max_size=8))
def test_of_overlapping_spots_the_best_stay(given_spots: list[Spot]) -> None:
    kept = without_overlaps(given_spots)
    covered = [place for spot in kept for place in range(spot.start, spot.end)]
    assert len(covered) == len(set(covered))
    for spot in given_spots:
        if spot.end > spot.start and spot not in kept:
            rivals = [k for k in kept if k.start < spot.end and spot.start < k.end]
            assert max(k.end - k.start for k in rivals) >= spot.end - spot.start


def test_a_text_is_linked_and_its_places_are_right(tiny_linker: Linker) -> None:
    text = "Trade grew.\n\nTrade with Peru grew; PEROU\u0301 no. " + "x " * 600 + "Chile, Zembla."
    links = link_text(tiny_linker, text, name="report")
    assert [(row.mention.surface, row.link.entity) for row in links][-1][0] == "Chile"
    assert links[0].link.entity == "country:PE"
    for row in links:
        spot, mention = row.spot, row.mention
        assert text[spot.start : spot.end] == mention.surface
        assert mention.context[mention.start : mention.end] == mention.surface
        assert mention.id == f"report:{spot.start}-{spot.end}"
        assert len(mention.context) < 1000
        assert "\n\n" not in mention.context
    again = link_text(tiny_linker, text, name="report")
    assert again == links


def test_limits_are_kept(tiny_linker: Linker, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LimitError, match="characters"):
        link_text(tiny_linker, "x" * (MAX_TEXT + 1))
    with pytest.raises(InputError, match="surrogate"):
        link_text(tiny_linker, "Peru \ud800")
    monkeypatch.setattr("linkers.documents.MAX_MENTIONS", 2)
    with pytest.raises(LimitError, match="mentions"):
        link_text(tiny_linker, "Peru Peru Peru")
    assert link_text(tiny_linker, "") == []


def test_hostile_texts_take_no_long() -> None:
    """Counted in looks at the names, not in seconds."""
    base = named(a=(" ".join(["aa"] * 24),), b=("aa",))
    looks = 0

    class Counting(dict):
        def __contains__(self, key: object) -> bool:
            nonlocal looks
            looks += 1
            return super().__contains__(key)

    gazetteer = Gazetteer(base)
    gazetteer._spellings = Counting(gazetteer._spellings)
    gazetteer.find("aa " * 2000 + " " * 20_000 + "aa" * 10_000)
    assert looks <= 24 * 2002


PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "zembla", "new", "zem", "##bla", "##ns"]
LABELS = ["O", "B-LOC", "I-LOC"]


def make_classifier(folder: Path) -> Path:
    """Save a model that knows its pieces by heart: ``zembla`` and ``zem`` begin names."""
    tokenizer = Tokenizer(
        models.WordPiece({piece: n for n, piece in enumerate(PIECES)}, unk_token=PIECES[1])
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=16,
        **{f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep")},
    ).save_pretrained(folder)
    config = transformers.BertConfig(
        vocab_size=len(PIECES), hidden_size=16, num_hidden_layers=0, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=16, num_labels=3,
        id2label=dict(enumerate(LABELS)), label2id={name: n for n, name in enumerate(LABELS)},
    )  # fmt: skip
    model = transformers.BertForTokenClassification(config)
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
        model.bert.embeddings.LayerNorm.weight.fill_(1)
        model.bert.embeddings.word_embeddings.weight[:, : len(PIECES)] = torch.eye(len(PIECES))
        model.classifier.bias[0] = 5
        for piece, label in (("zembla", 1), ("zem", 1), ("new", 1), ("##bla", 0)):
            model.classifier.weight[label, PIECES.index(piece)] = 9
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> TokenClassifier:
    return TokenClassifier(make_classifier(tmp_path_factory.mktemp("classifier")))


def test_a_classifier_finds_names_in_long_texts(classifier: TokenClassifier) -> None:
    text = "zembla is far, " + "so far " * 20 + "zembla; zemblans new zembla"
    spots = {(s.start, s.end): s for s in without_overlaps(classifier.find(text))}
    shown = sorted(text[start:end] for start, end in spots)
    assert shown == ["new", "zembla", "zembla", "zembla", "zemblans"]
    assert all(0.5 <= s.score <= 1 and s.finder == "classifier" for s in spots.values())
    assert classifier.find(" ") == []


def test_a_name_outside_the_graph_is_found_and_nil(
    tiny_linker: Linker, classifier: TokenClassifier
) -> None:
    text = "Peru wrote to zembla."
    links = link_text(tiny_linker, text, finders=[Gazetteer(tiny_linker.base), classifier])
    assert [(row.mention.surface, row.spot.finder) for row in links] == [
        ("Peru", "gazetteer"),
        ("zembla", "classifier"),
    ]


def test_a_classifier_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError, match="no such folder"):
        TokenClassifier(tmp_path / "nowhere")
    with pytest.raises(MissingPartError, match="cannot load"):
        TokenClassifier(tmp_path)
    assert unicodedata.normalize("NFC", "e\u0301") == "é"
