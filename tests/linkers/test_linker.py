"""The linker as a whole, on a tiny world: what it links, refuses, keeps and promises."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from encoders import TinyTextEncoder
from kg.errors import (
    ForeignFileError,
    FormatVersionError,
    InputError,
    MissingPartError,
    SettingError,
)
from linkers import DecisionConfig, Encoders, Linker, LinkerConfig, Mention
from linkers.cases import Case
from linkers.decision import Decision
from linkers.decision_fitting import fit_decision
from linkers.evaluating import Judged, NilLine, evaluate_linker
from tests.linkers.small_world import COUNTRIES, PICTURES, examples, key, world


def one(linker: Linker, surface: str = "", context: str = "", image: str | None = None):
    return linker.link([Mention(id="m", surface=surface, context=context, image=image)])[0]


def test_names_are_linked_and_strangers_are_not(tiny_linker: Linker) -> None:
    assert one(tiny_linker, "Peru", "Trade with Peru grew.").entity == key("PE")
    stranger = one(tiny_linker, "Xanadu", "Xanadu was founded long ago.")
    assert stranger.state == "nil"
    assert stranger.entity is None
    assert stranger.reason in ("out of the graph", "low margin", "no candidate")
    assert stranger.probability == stranger.nil_probability >= stranger.candidates[0].probability


def test_probabilities_add_up_and_signals_are_told(tiny_linker: Linker) -> None:
    link = one(tiny_linker, "Chile", "Trade with Chile grew.")
    whole = sum(c.probability for c in link.candidates) + link.nil_probability
    assert 0.9 < whole <= 1.0 + 1e-5
    probabilities = [c.probability for c in link.candidates]
    assert probabilities == sorted(probabilities, reverse=True)
    assert link.candidates[0].signals["exact name"] == 1.0
    assert link.probability == link.candidates[0].probability


def test_a_picture_alone_is_enough(tiny_linker: Linker) -> None:
    right = [
        one(tiny_linker, image=f"picture of {c}").candidates[0].entity == key(c)
        for c in ("PE", "FR", "DE", "US", "TR")
    ]
    assert sum(right) >= 4


def test_entities_added_after_training_are_linked(tiny_linker: Linker) -> None:
    mention = Mention(id="m", surface="Iran", context="Trade with Iran grew.")
    assert tiny_linker.link([mention])[0].state == "nil"
    assert tiny_linker.on(world()).link([mention])[0].entity == key("IR")


def test_a_link_depends_on_its_mention_alone(tiny_linker: Linker) -> None:
    mentions, _ = examples(list(COUNTRIES))
    together = tiny_linker.link(mentions)
    backwards = tiny_linker.link(list(reversed(mentions)))[::-1]
    alone = [tiny_linker.link([mention])[0] for mention in mentions]
    assert together == backwards == alone


def test_mentions_of_one_document_support_one_another(tiny_linker: Linker) -> None:
    # "the country" says nothing by itself; two neighbours linked beside it do
    lone = Mention(id="c", surface="the country", context="the country", document=None)
    document = [
        replace(lone, document="d"),
        Mention(id="a", surface="Spain", context="Spain grew.", document="d"),
        Mention(id="b", surface="Germany", context="Germany grew.", document="d"),
    ]
    by_key = {c.entity: c.signals for c in tiny_linker.link(document)[0].candidates}
    assert by_key[key("FR")].get("common neighbours", 0) > 0.5
    alone = {c.entity: c.signals for c in tiny_linker.link([lone])[0].candidates}
    assert alone.get(key("FR"), {}).get("common neighbours", 0) == 0


def test_thresholds_send_links_to_review(tiny_linker: Linker) -> None:
    trained = tiny_linker.trained
    strict = replace(trained, config=replace(trained.config, link_above=1.0))
    encoders = tiny_linker._evidence.encoders
    link = one(Linker(tiny_linker.base, encoders, strict), "Peru", "Trade with Peru grew.")
    assert link.state == "review"
    assert link.entity == key("PE")


def test_conflicting_modalities_are_a_reason(tiny_linker: Linker) -> None:
    link = one(tiny_linker, "Xanadu", "Xanadu was founded.", "picture of PE")
    if link.state == "nil":
        assert link.reason in ("modalities in conflict", "out of the graph", "low margin")
    assert one(tiny_linker).candidates == () or one(tiny_linker).state == "nil"


def test_save_and_load(tiny_linker: Linker, tmp_path: Path) -> None:
    mentions, _ = examples(list(COUNTRIES))
    tiny_linker.save(tmp_path)
    encoders = tiny_linker._evidence.encoders
    again = Linker.load(tmp_path, tiny_linker.base, encoders=encoders, pixels=PICTURES.get)
    assert again.link(mentions) == tiny_linker.link(mentions)
    assert again.fingerprint == tiny_linker.fingerprint
    assert again.on(world()).fingerprint != again.fingerprint
    other = Encoders(text=TinyTextEncoder(dimension=16))
    with pytest.raises(InputError, match="trained with the encoders"):
        Linker.load(tmp_path, tiny_linker.base, encoders=other)


def test_a_linker_with_opinions_foreign_words_and_a_student_is_kept_whole(
    tiny_encoders: Encoders, tiny_config: LinkerConfig, tmp_path: Path
) -> None:
    decision = replace(tiny_config.decision, epochs=3, opinions="marks")
    config = replace(tiny_config, decision=decision, student=True, foreign_words=20)
    mentions, gold = examples(list(COUNTRIES))
    linker = Linker.train(
        world(), mentions, gold, encoders=tiny_encoders, config=config, pixels=PICTURES.get
    )
    assert any(name.startswith("opinion.") for name in linker.trained.decision.arrays)
    linker.save(tmp_path)
    again = Linker.load(tmp_path, world(), encoders=tiny_encoders, pixels=PICTURES.get)
    assert again.fingerprint == linker.fingerprint
    # sums of floats may differ in their last digit where arrays lie otherwise in memory
    for one_link, kept in zip(again.link(mentions[:3]), linker.link(mentions[:3]), strict=True):
        found = {c.entity: c.score for c in one_link.candidates}
        assert found == pytest.approx({c.entity: c.score for c in kept.candidates}, abs=1e-5)
        assert list(found) == [c.entity for c in kept.candidates]
        assert (one_link.mention, one_link.entity, one_link.state, one_link.reason) == (
            (kept.mention, kept.entity, kept.state, kept.reason)
        )
    towers = linker.trained.student.towers  # they start alike
    assert not towers["entity text"].equal(towers["mention text"])
    foreign = linker.trained.foreign
    assert foreign.vectors.shape == (20, 32)
    turned = replace(foreign, vectors=foreign.vectors[::-1, ::-1])
    trained = replace(linker.trained, foreign=turned)
    other = Linker(world(), tiny_encoders, trained, pixels=PICTURES.get)
    assert other.fingerprint != linker.fingerprint
    assert other.link(mentions[:3]) != linker.link(mentions[:3])  # the decision sees their mark
    wordless = [mention for mention in mentions if mention.image][:1]
    assert other.link(wordless) == linker.link(wordless)


def test_foreign_words_are_refused_where_they_cannot_work(
    tiny_encoders: Encoders, tiny_config: LinkerConfig
) -> None:
    config = replace(tiny_config, foreign_words=10_000)
    mentions, gold = examples(list(COUNTRIES))
    with pytest.raises(
        SettingError, match=r"foreign_words wants 10000 words, and the texts .* have"
    ):
        Linker.train(world(), mentions, gold, encoders=tiny_encoders, config=config)
    with pytest.raises(SettingError, match="opinions 'alone' leaves them out"):
        replace(config, decision=replace(config.decision, opinions="alone"))


def test_what_is_no_linker_is_refused(tiny_linker: Linker, tmp_path: Path) -> None:
    encoders, base = tiny_linker._evidence.encoders, tiny_linker.base
    with pytest.raises(MissingPartError):
        Linker.load(tmp_path / "nowhere", base, encoders=encoders)
    tiny_linker.save(tmp_path)
    description = tmp_path / "linker.json"
    values = json.loads(description.read_text())
    description.write_text(json.dumps({**values, "format": 99}))
    with pytest.raises(FormatVersionError):
        Linker.load(tmp_path, base, encoders=encoders)
    description.write_text(json.dumps({**values, "config": {"candidates": 0}}))
    with pytest.raises(ForeignFileError):
        Linker.load(tmp_path, base, encoders=encoders)
    description.write_text(json.dumps(values))
    weights = tmp_path / "linker.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\0")
    with pytest.raises(ForeignFileError, match="another training"):
        Linker.load(tmp_path, base, encoders=encoders)


def test_training_is_repeatable(
    tiny_encoders: Encoders, tiny_config: LinkerConfig, tiny_linker: Linker
) -> None:
    base = world().without([key("IN"), key("IR")])
    mentions, gold = examples([c for c in COUNTRIES if c not in ("IN", "IR")])
    again = Linker.train(
        base, mentions, gold, encoders=tiny_encoders, config=tiny_config, pixels=PICTURES.get
    )
    assert again.fingerprint == tiny_linker.fingerprint


def test_training_refuses_what_teaches_nothing(
    tiny_encoders: Encoders, tiny_config: LinkerConfig
) -> None:
    mention = Mention(id="m", surface="Peru")
    with pytest.raises(InputError, match="fit"):
        Linker.train(world(), [mention], [], encoders=tiny_encoders, config=tiny_config)
    with pytest.raises(InputError, match="no mention"):
        Linker.train(world(), [mention], [None], encoders=tiny_encoders, config=tiny_config)


def test_settings_round_trip_and_refuse() -> None:
    config = LinkerConfig(matching={"temperatures": [1.0, 99.0]}, link_above=0.7)
    assert LinkerConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
    for wrong in (
        {"candidates": 0},
        {"link_above": 2.0},
        {"folds": 1},
        {"foreign_words": -1},
        {"matching": {"x": 1}},
        {"matching": {"dimension": 0}},
    ):
        with pytest.raises(SettingError):
            LinkerConfig(**wrong)
    with pytest.raises(SettingError):
        LinkerConfig.from_json({"unheard": 1})
    with pytest.raises(SettingError):
        DecisionConfig(dropout=1.0)


def test_decision_learns_a_rule_and_calibration_lowers_the_loss() -> None:
    generator = np.random.default_rng(0)

    def case(nil: bool) -> Case:
        signals = generator.random((5, 3)).astype(np.float32) * 0.5
        gold = -1 if nil else int(generator.integers(5))
        if gold >= 0:
            signals[gold, 0] += 0.6
        return Case(signals=signals, marks=np.zeros(1, np.float32), gold=gold)

    train = [case(n % 4 == 0) for n in range(300)]
    test = [case(n % 4 == 0) for n in range(200)]
    config = DecisionConfig(hidden=8, members=2, epochs=20, batch=32, withhold=0.0)
    decision = fit_decision(train, config=config, picture_signals=[], seed=0)

    def chosen(case: Case) -> int:
        own, nil = decision.probabilities(case)
        assert own.sum() + nil == pytest.approx(1.0)
        return -1 if nil >= own.max() else int(own.argmax())

    assert np.mean([chosen(case) == case.gold for case in test]) > 0.9

    def loss(decision: Decision) -> float:
        found = [(decision.probabilities(c), c.gold) for c in test]
        return -float(np.mean([np.log(max(np.append(*p)[g], 1e-9)) for p, g in found]))

    assert loss(decision.calibrated(test)) <= loss(decision) + 1e-9
    empty = Case(signals=np.zeros((0, 3), np.float32), marks=np.zeros(1, np.float32))
    own, nil = decision.probabilities(empty)
    assert own.shape == (0,)
    assert nil == 1.0


def test_evaluation_counts_what_it_says(tiny_linker: Linker) -> None:
    codes = [c for c in COUNTRIES if c not in ("IN", "IR")]
    mentions, gold = examples(codes)
    groups = [
        "pictures" if not m.surface else "nil" if g is None else "names"
        for m, g in zip(mentions, gold, strict=True)
    ]
    judged = Judged(
        mentions=mentions,
        gold=gold,
        groups=groups,
        alike=[{key("PE"), key("CL")}],
        alike_groups={"pictures"},
    )
    figures = evaluate_linker(
        tiny_linker,
        judged,
        valid=judged,
        training=(mentions, gold),
        nil_lines=[NilLine(name="names", groups=("names",))],
    )
    names = figures["groups"]["names"]
    assert names["n"] == sum(g == "names" for g in groups)
    links = tiny_linker.link(mentions)
    first = [
        ln.candidates[0].entity == g
        for ln, g, group in zip(links, gold, groups, strict=True)
        if group == "names"
    ]
    assert names["linker"]["h1"] == pytest.approx(np.mean(first))
    assert names["linker"]["recall_at_64"] >= names["linker"]["h5"] >= names["linker"]["h1"]
    assert names["baselines"]["exact alias"]["h1"] < 1.0
    line = figures["nil"]["names"]
    assert line["nil"] == 5
    assert line["baselines"]["all NIL"]["f1"] == pytest.approx(2 * 5 / (5 + line["n"]))
    assert 0 <= figures["ece"] <= 1
    json.dumps(figures)


def test_links_are_plain_values(tiny_linker: Linker) -> None:
    json.dumps(asdict(one(tiny_linker, "Peru", "Trade with Peru grew.")))
