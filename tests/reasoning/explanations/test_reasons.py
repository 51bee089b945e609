"""Reasons of predicted edges as sentences, whoever gives them."""

from __future__ import annotations

from kg.model import EntityKey
from reasoning.explanations.reasons import reason_text
from reasoning.predictors.rules.rule import RuleReason

NAMES = {"la": "Laos", "th": "Thailand", "jp": "Japan"}


def named(key: EntityKey) -> str:
    return NAMES[key]


def test_a_rule_is_told_by_its_facts_and_how_often_it_is_right() -> None:
    reason = RuleReason(
        rule="exports_to(X, Y) <- borders(X, A), exports_to(A, Y)",
        confidence=0.625,
        support=10,
        facts=(
            (EntityKey("la"), "borders", EntityKey("th")),
            (EntityKey("th"), "exports_to", EntityKey("jp")),
        ),
    )
    assert reason_text(reason, named) == (
        "Laos borders Thailand and Thailand exports to Japan "
        "(exports_to(X, Y) <- borders(X, A), exports_to(A, Y), right in 62%, 10 times)"
    )


def test_a_rule_without_facts_and_a_sentence_are_told_as_they_are() -> None:
    reason = RuleReason(rule="r(X, Y) <- s(X, Y)", confidence=1.0, support=2, facts=())
    assert reason_text(reason, named) == "(r(X, Y) <- s(X, Y), right in 100%, 2 times)"
    assert reason_text("Laos borders Thailand", named) == "Laos borders Thailand"
