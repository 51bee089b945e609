"""The report's questions: asked of the evaluation models, marked by the full graph."""

from __future__ import annotations

from typing import Any

from api.demo.recipe import Question, Recipe
from api.engine import Engine
from api.schemas import AnswerOut, ProofOut
from kg.snapshot import Snapshot
from reasoning.exact import evaluate

__all__ = ["ask_questions", "proof_lines"]

SHOWN = 5
"""Answers of each kind that the report shows for a question."""


def ask_questions(engine: Engine, recipe: Recipe, full: Snapshot) -> list[dict[str, Any]]:
    """Ask all questions of a recipe and mark each likely answer right or wrong.

    Args:
        engine: Opened on the evaluation snapshot.
        recipe: Holds the questions.
        full: The full snapshot; an answer is right if it is a known answer there.
    """
    return [_asked(engine, question, full) for question in recipe.questions]


def _asked(engine: Engine, question: Question, full: Snapshot) -> dict[str, Any]:
    answers = engine.ask(question.query, k=SHOWN)
    tree, threshold = engine.read(question.query), engine.settings.known_probability
    truth = {full.entities.name(i) for i in evaluate(tree, full, threshold)}
    known = {engine.snapshot.entities.name(i) for i in evaluate(tree, engine.snapshot, threshold)}
    shown = [_shown(answer, right=answer.key in truth) for answer in answers.answers]
    likely = [answer for answer in shown if answer["status"] == "likely"]
    right = sum(answer["right"] for answer in likely)
    return {
        "title": question.title,
        "query": question.query.strip(),
        "structure": answers.structure,
        "total_known": answers.total_known,
        "likely_total": len(likely),
        "likely_right": right,
        "missed": len(truth - known) - right,
        "answers": shown,
    }


def _shown(answer: AnswerOut, *, right: bool) -> dict[str, Any]:
    return {
        "key": answer.key,
        "name": answer.name,
        "status": answer.status,
        "probability": answer.probability,
        "right": right,
        "proof": [] if answer.proof is None else proof_lines(answer.proof),
    }


def proof_lines(proof: ProofOut) -> list[str]:
    """Return a proof as plain sentences with their sources."""
    lines = []
    for edge in proof.edges:
        text = f"{edge.head_name} {edge.relation} {edge.tail_name}"
        if edge.status == "absent":
            lines.append(f"not known: {text}")
        elif edge.records:
            record = edge.records[0]
            said = f": “{record.text}”" if record.text else ""
            where = f", {record.locator}" if record.locator else ""
            lines.append(f"{text} ({record.kind} by {record.source}{where}{said})")
        else:
            because = f", because {edge.reasons[0]}" if edge.reasons else ""
            lines.append(f"{text} (predicted, {edge.probability:.2f}{because})")
    return [*lines, *proof.facts]
