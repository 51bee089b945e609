"""A linker put to the test: flips against a loop over single mentions, conflicts, figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from kg.errors import InputError
from kg.model import EntityKey
from kg.progress import Progress, silent
from linkers import Candidate, Linker, Mention
from linkers.attribute_words import Attribute, PictureColours, plain_adjectives
from linkers.cases import Case
from linkers.check_figures import case_rows, change_of, figures_of, reciprocal_rank
from linkers.checking import Check, Inserted, Kind, check_linker
from linkers.conflict import IN_CONFLICT, apart, conflict
from linkers.model import Link
from linkers.robustness import Insertion
from tests.linkers.small_world import COUNTRIES, PICTURES, key, world

TRAINED = [code for code in COUNTRIES if code not in ("IN", "IR")]


def mention(code: str, shown: str | None = None) -> Mention:
    name = COUNTRIES[code][0]
    return Mention(
        id=f"{code} {shown}", surface=name, context=f"Trade with {name} grew.", start=11,
        end=11 + len(name), image=None if shown is None else f"picture of {shown}",
    )  # fmt: skip


class Shy:
    """Links by the last word before the mention: "red" takes it away, "big" makes it another."""

    def __init__(self) -> None:
        self.asked = 0

    def link(self, mentions: Sequence[Mention], *, progress: Progress = silent) -> list[Link]:
        del progress
        self.asked += len(mentions)
        return [
            self._one(m, {x.document for x in mentions if "red" in x.context}) for m in mentions
        ]

    def _one(self, mention: Mention, red: set[str | None]) -> Link:
        words = mention.context.split()
        nil = "red" in words or (mention.document is not None and mention.document in red)
        own = EntityKey("b" if "big" in words else "a")
        chance = 0.2 if nil else 0.7
        return Link(
            mention=mention.id, state="nil" if nil else "linked", entity=None if nil else own,
            probability=0.8 if nil else chance, nil_probability=0.8 if nil else 0.3,
            candidates=(Candidate(entity=own, score=0, probability=chance),),
        )  # fmt: skip


def words(*given: str) -> Kind:
    return Kind(name=given[0], source=lambda _: [Attribute(word=word) for word in given], budget=1)


def test_what_stays_and_what_flips_is_told_by_kind() -> None:
    mentions = [mention("PE"), mention("CL"), Mention(id="3", surface="", image="x")]
    kinds = [words("old"), words("old", "red"), words("big")]
    kinds = [replace(kind, name=name) for kind, name in zip(kinds, "xyz", strict=True)]
    check = check_linker(Shy(), mentions, kinds)
    assert [len(rows) for rows in check.inserted.values()] == [2, 2, 2]  # the third has no text
    assert [one.insertion.words for one in check.inserted["y"]] == [("red",), ("red",)]
    assert [change_of(one) for one in check.flips] == ["to_nil"] * 2 + ["other_entity"] * 2
    metrics, by = figures_of(check, [EntityKey("a"), EntityKey("b"), None])
    assert metrics == {"unchanged": pytest.approx(1 / 3), "accuracy": pytest.approx(1 / 3)}
    assert by["x"]["unchanged"] == 1
    assert by["y"] | {"n": 2, "unchanged": 0, "to_nil": 1, "probability_before": 0.7} == by["y"]
    assert by["y"]["probability_after"] == pytest.approx(0.2)
    assert by["z"]["accuracy_before"] == by["z"]["accuracy_after"] == 0.5
    assert by["z"]["hits_at_1_before"] == by["z"]["mrr_after"] == 0.5
    rows = case_rows(check, mentions, {"a": "Alpha"}.get)
    assert [row["case"] for row in rows] == ["flip"] * 4
    assert rows[0]["text"] == "Trade with red Peru grew."
    assert (rows[0]["before"]["name"], rows[0]["after"]["state"]) == ("Alpha", "nil")


def test_a_document_is_linked_as_a_whole() -> None:
    linker = Shy()
    together = [replace(mention(code), document="d") for code in ("PE", "CL", "BO")]
    source = lambda m: [Attribute(word="red")] if m.surface == "Peru" else []  # noqa: E731
    check = check_linker(linker, together, [Kind(name="red", source=source, adversarial=False)])
    assert [one.row for one in check.inserted["red"]] == [0]
    assert linker.asked == 3 + 3  # the two others of the document are linked again beside it


def test_a_check_equals_a_loop_over_single_mentions(tiny_linker: Linker) -> None:
    mentions = [mention(code, code) for code in TRAINED[:6]]
    kinds = [
        Kind(name="colour", source=PictureColours(PICTURES.get)),
        Kind(name="plain", source=plain_adjectives(), adversarial=False),
    ]
    found = check_linker(tiny_linker, mentions, kinds)
    for row, one in enumerate(mentions):
        alone = check_linker(tiny_linker, [one], kinds)
        assert alone.links == [found.links[row]]
        for name, rows in alone.inserted.items():
            assert [r.insertion.mention for r in rows] == [
                r.insertion.mention for r in found.inserted[name] if r.row == row
            ]
    assert found.links == tiny_linker.link(mentions)


def test_words_and_picture_of_two_entities_are_found(tiny_linker: Linker) -> None:
    pairs = [(one, other) for one in ("PE", "CL", "FR", "DE", "TR") for other in ("US", one)]
    mentions = [mention(*pair) for pair in pairs] + [mention("PE")]
    check = check_linker(tiny_linker, mentions, [])
    assert [found.row for found in check.apart] == list(range(10))
    assert [found.flagged for found in check.apart] == [one != other for one, other in pairs]
    metrics, by = figures_of(check)
    assert (metrics, by) == ({"conflicts": 0.5}, {})
    names = {entity.key: entity.name for entity in world().entities}
    rows = case_rows(check, mentions, names.get)
    assert len(rows) == len(check.conflicts) == 5
    row = next(row for row in rows if row["surface"] == "Peru")
    assert (row["text"]["likeliest"], row["picture"]["likeliest"]) == (key("PE"), key("US"))
    assert row["why"].startswith("the words alone mean Peru (0.9")
    assert "the picture alone United States (0." in row["why"]
    # the linker itself says so of each, whatever it decided
    reasons = [link.reason for link in tiny_linker.link(mentions)]
    assert [r == "modalities in conflict" for r in reasons] == [
        *(one != other for one, other in pairs), False
    ]  # fmt: skip


def test_nil_has_the_conflict_as_its_reason(tiny_linker: Linker) -> None:
    class Doubting:
        """Says NIL where it has words and a picture, and what it was taught where it has one."""

        arrays = tiny_linker.trained.decision.arrays

        def probabilities(self, case: Case) -> tuple[np.ndarray, float]:
            if case.marks[0] and case.marks[6]:
                return np.full(len(case.signals), 0.1 / max(1, len(case.signals))), 0.9
            return tiny_linker.trained.decision.probabilities(case)

    trained = replace(tiny_linker.trained, decision=Doubting())  # type: ignore[arg-type]
    encoders = tiny_linker._evidence.encoders
    linker = Linker(tiny_linker.base, encoders, trained, pixels=PICTURES.get)
    against, agreeing, unseen = linker.link(
        [mention("PE", "CL"), mention("PE", "PE"), replace(mention("PE", "CL"), image="none")]
    )
    assert (against.state, against.reason) == ("nil", "modalities in conflict")
    assert (agreeing.state, agreeing.reason) == ("nil", "out of the graph")
    assert (unseen.state, unseen.reason) == ("nil", "out of the graph")


def test_conflict_is_the_chance_of_two_different_draws() -> None:
    generator = np.random.default_rng(0)
    for _ in range(20):
        text, picture = (generator.dirichlet(np.ones(5)) for _ in range(2))  # the fifth is NIL
        told = [dict(enumerate(values[:4].tolist())) for values in (text, picture)]
        naive = sum(text[i] * picture[j] for i in range(4) for j in range(4) if i != j)
        assert conflict(*told) == pytest.approx(naive, abs=1e-6)
    assert conflict({}, {"a": 1.0}) == 0
    assert conflict({"a": 1.0}, {"b": 1.0}) == 1 >= IN_CONFLICT


def test_only_words_with_a_picture_can_be_in_conflict() -> None:
    both = replace(mention("PE", "CL"), document="d")
    parts = apart(both)
    assert parts is not None
    assert (parts[0].image, parts[0].context, parts[0].document) == (None, both.context, None)
    assert (parts[1].image, parts[1].surface, parts[1].context) == ("picture of CL", "", "")
    assert apart(mention("PE")) is None
    assert apart(Mention(id="1", surface=" ", image="a")) is None


def test_ties_share_the_mean_of_their_places() -> None:
    candidates = [("a", 0.4), ("b", 0.25), ("c", 0.25), ("d", 0.1)]
    link = Link(
        mention="1", state="linked", entity=EntityKey("a"), probability=0.4, nil_probability=0,
        candidates=tuple(
            Candidate(entity=EntityKey(k), score=0, probability=p) for k, p in candidates
        ),
    )  # fmt: skip
    ranks = {k: 1 / reciprocal_rank(link, EntityKey(k)) for k, _ in candidates}
    assert ranks == {"a": 1, "b": 2.5, "c": 2.5, "d": 4}
    assert reciprocal_rank(link, EntityKey("e")) == 0


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (("linked", "a"), ("linked", "a"), None),
        (("linked", "a"), ("review", "a"), "to_review"),
        (("review", "a"), ("linked", "a"), "to_linked"),
        (("linked", "a"), ("review", "b"), "other_entity"),
        (("linked", "a"), ("nil", None), "to_nil"),
        (("nil", None), ("review", "a"), "from_nil"),
        (("nil", None), ("nil", None), None),
    ],
)
def test_a_change_has_one_name(
    before: tuple[str, str | None], after: tuple[str, str | None], change: str | None
) -> None:
    first, second = (
        Link(mention="1", state=s, entity=e, probability=0.5, nil_probability=0.5)  # type: ignore[arg-type]
        for s, e in (before, after)
    )
    one = Inserted(
        kind="x", row=0, insertion=Insertion(mention=mention("PE")), before=first, after=second
    )
    assert change_of(one) == change
    assert one.stays == (change is None)


def test_two_kinds_of_one_name_are_refused() -> None:
    with pytest.raises(InputError, match="one name"):
        check_linker(Shy(), [mention("PE")], [words("red"), words("red")])
    assert Check(links=[], inserted={}, apart=[]).conflicts == []
