"""Words that speak for words, and what stands beside mentions, against slower ways to say it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from encoders import TinyTextEncoder
from kg.errors import InputError
from kg.model import EntityKey
from linkers.boosted import EntityTable, PooledTexts
from linkers.boosted.features import FEATURES, plain_features
from linkers.boosted.hint_features import HINT_FEATURES, hint_features, learn_hints
from linkers.boosted.hints import Hints
from linkers.boosted.name_index import NameIndex
from linkers.boosted.pairs import Pairs
from linkers.boosted.phrases import PHRASE_FEATURES, beside
from linkers.model import Mention

NAMES = (
    "Wales national rugby union team",
    "Wales national football team",
    "Wales",
    "Canada national rugby union team",
    "Los Alamos National Laboratory",
    "Crab-eating macaque",
    "Nguyen Cao Ky",
)
TABLE = EntityTable(
    keys=tuple(EntityKey(f"Q{number}") for number in range(len(NAMES))),
    names=tuple((name,) for name in NAMES),
)
TRAIN = (
    ("Canada", "Canada score a try in the scrum", 3, "a"),
    ("Canada", "a scrum and a try", 3, "b"),
    ("Wales", "a goal for Wales, one try", 1, "c"),
    ("Wales", "a goal and a scrum", 1, "d"),
    ("Wales", "hills of Wales", 2, "e"),
)


def mention(surface: str, text: str, document: str = "") -> Mention:
    start = text.find(surface)
    there = start >= 0
    return Mention(
        id="1",
        surface=surface,
        context=text,
        start=start if there else None,
        end=start + len(surface) if there else None,
        document=document or None,
    )


@pytest.fixture(scope="module")
def index() -> NameIndex:
    return NameIndex(TABLE, PooledTexts(TinyTextEncoder()))


def learnt() -> Hints:
    mentions = [mention(surface, text, document) for surface, text, _, document in TRAIN]
    return Hints.learn(TABLE, mentions, [gold for _, _, gold, _ in TRAIN])


def told(hints: Hints, index: NameIndex, given: Mention, *, apart: bool = False) -> dict:
    pairs, looks = Pairs.of([np.arange(len(NAMES))]), index.look([given])
    values = hint_features([hints], index, [given], looks, pairs, apart=apart)
    return {name: values[:, column] for column, name in enumerate(HINT_FEATURES[:4])}


def test_a_word_speaks_for_a_name_that_no_mention_meant(index: NameIndex) -> None:
    found = told(learnt(), index, mention("Wales", "Wales prepare for a scrum"))
    for feature in ("best hint", "mean hint", "all hints"):
        assert found[feature][0] > found[feature][1]
        assert np.isnan(found[feature][2])  # the name holds nothing that the mention lacks


def test_hints_are_log_ratios(index: NameIndex) -> None:
    found = told(learnt(), index, mention("Wales", "Wales: scrum"))
    # "scrum" stands in 3 texts, twice beside "rugby", which told 2 of 5 mentions apart
    rugby = math.log((2 + 5 * (2.1 / 5)) / (3 + 5) / (2.1 / 5))
    both = math.log((3 + 5 * (4.1 / 5)) / (3 + 5) / (4.1 / 5))  # national, team
    assert found["best hint"][0] == pytest.approx(max(rugby, both), rel=1e-5)
    assert found["mean hint"][0] == pytest.approx((2 * rugby + 2 * both) / 4, rel=1e-5)
    assert found["all hints"][0] == pytest.approx(2 * rugby + 2 * both, rel=1e-5)


def test_a_training_mention_does_not_see_its_own_document(index: NameIndex) -> None:
    more = [("Wales", "scrum on a hill", 2, "g"), ("Wales", "scrum", 2, "h")]
    rows = [("Canada", "the scrum", 3, "b"), *(row for row in TRAIN if row[3] != "b"), *more]
    every, rest = (
        Hints.learn(TABLE, [mention(s, t, d) for s, t, _, d in part], [g for _, _, g, _ in part])
        for part in (rows, rows[1:])
    )
    given = mention("Canada", "the scrum", "b")
    apart, never = told(every, index, given, apart=True), told(rest, index, given)
    for feature in apart:
        np.testing.assert_allclose(apart[feature], never[feature], rtol=1e-5)
    seen = told(every, index, given)
    assert seen["habit"][3] > apart["habit"][3]


def test_a_word_of_the_own_document_alone_is_no_hint(index: NameIndex) -> None:
    # else a name whose words tell something would give the answer of a training mention away
    rows = [*TRAIN, ("Ky", "Ky left with a scrum", 6, "f")]
    mentions = [mention(surface, text, document) for surface, text, _, document in rows]
    hints = Hints.learn(TABLE, mentions, [gold for _, _, gold, _ in rows])
    found = told(hints, index, mentions[-1], apart=True)
    assert np.isnan(found["best hint"][6])
    assert np.isnan(found["all hints"][6])


def test_hints_survive_their_arrays_and_refuse_broken_ones(index: NameIndex) -> None:
    hints = learnt()
    again = Hints.of(hints.to_json(), hints.arrays())
    given = mention("Wales", "Wales prepare for a scrum")
    theirs = told(again, index, given)
    for feature, mine in told(hints, index, given).items():
        np.testing.assert_array_equal(mine, theirs[feature])
    for name in ("rows", "held", "named"):
        arrays = hints.arrays()
        arrays[name] = arrays[name][:-1]
        with pytest.raises(InputError):
            Hints.of(hints.to_json(), arrays)
    arrays = hints.arrays()
    arrays["columns"] = arrays["columns"] + 1_000
    with pytest.raises(InputError):
        Hints.of(hints.to_json(), arrays)


def test_words_of_mentions_speak_too(index: NameIndex) -> None:
    rows = [("the Welsh", "", 0, "a"), ("Welsh", "", 0, "b"), ("Ky", "", 6, "c")]
    mentions = [mention(surface, text, document) for surface, text, _, document in rows]
    hints = learn_hints(TABLE, mentions, [gold for _, _, gold, _ in rows])
    pairs = Pairs.of([np.arange(len(NAMES))])
    given = [mention("Welsh", "")]
    looks = index.look(given)
    values = hint_features(hints, index, given, looks, pairs, apart=False)
    own = values[:, HINT_FEATURES.index("best hint of mention")]
    assert np.nanargmax(own) in {0, 1}
    assert own[0] > 0
    alone = hint_features(hints[:1], index, given, looks, pairs, apart=False)
    np.testing.assert_array_equal(alone[:, :4], values[:, :4])
    assert np.isnan(alone[:, 4:]).all()


def test_nothing_counted_says_nothing(index: NameIndex) -> None:
    found = told(Hints.nothing(), index, mention("Wales", "a scrum"))
    assert np.isnan(found["best hint"]).all()
    assert np.isfinite(found["habit"][0])


def test_brackets_tell_another_name() -> None:
    text = 'Crab-eating macaque (Macaca fascicularis), the "SETI" (Search) and (none'
    assert beside(mention("Macaca fascicularis", text)) == ("", "Crab-eating macaque")
    assert beside(mention("SETI", text)) == ("Search", "")
    assert beside(mention("none", text)) == ("", "")
    assert beside(Mention(id="1", surface="nowhere", context=text)) == ("", "")


def phrases(index: NameIndex, given: Mention) -> dict:
    pairs = Pairs.of([np.arange(len(NAMES))])
    values = plain_features(index, [given], [()], index.look([given]), pairs)
    return {name: values[:, FEATURES.index(name)] for name in PHRASE_FEATURES}


def test_where_in_a_name_a_mention_stands(index: NameIndex) -> None:
    found = phrases(index, mention("Ky", "Ky (left) with the president"))
    assert found["ends name"].tolist() == [0, 0, 0, 0, 0, 0, 1]
    assert found["so ending names"].tolist() == [1] * 7
    assert not found["begins name"].any()
    assert phrases(index, mention("Wales", ""))["begins name"].tolist() == [1, 1, 0, 0, 0, 0, 0]


def test_initials_and_names_in_brackets(index: NameIndex) -> None:
    assert phrases(index, mention("LANL", "at LANL"))["all initials"].tolist()[4] == 1
    assert not phrases(index, mention("LAL", "at LAL"))["all initials"].any()
    text = "a crab-eating macaque (Macaca fascicularis) in Lopburi"
    found = phrases(index, mention("Macaca fascicularis", text))["name beside"]
    assert found.argmax() == 5
    assert found[5] == 1
    assert np.isnan(phrases(index, mention("Ky", "Ky left"))["name beside"]).all()
