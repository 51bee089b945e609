"""One question through every door of Umbra, brought to one form so that the doors can be compared.

`umbra ask --json` and REST speak the schema `AnswersOut`; Python returns it; the page shows it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from api.schemas import AnswersOut
from tests.api.browser import Browser

__all__ = ["Seen", "seen_by_python", "seen_in_json", "seen_on_page"]

ProofEdge = tuple[str, str, str, str]
"""Status, name of the head, relation, name of the tail."""


@dataclass(frozen=True)
class Seen:
    """What a door shows of one answer.

    Attributes:
        status: ``known`` or ``likely``.
        key: Of the entity.
        name: Of the entity.
        proof: Edges of its proof.
        parts: Keys of the parts that the proof outlines.
    """

    status: str
    key: str
    name: str
    proof: tuple[ProofEdge, ...]
    parts: tuple[str, ...]


def seen_by_python(answers: AnswersOut) -> list[Seen]:
    """Return what Python sees, in its order."""
    return seen_in_json(answers.model_dump(mode="json"))


def seen_in_json(answers: Mapping[str, Any] | str) -> list[Seen]:
    """Return what stands in a REST response or in the output of ``umbra ask --json``."""
    found = json.loads(answers) if isinstance(answers, str) else answers
    return [
        Seen(
            status=answer["status"],
            key=answer["key"],
            name=answer["name"],
            proof=tuple(
                (edge["status"], edge["head_name"], edge["relation"], edge["tail_name"])
                for edge in answer["proof"]["edges"]
            ),
            parts=tuple(part["key"] for part in answer["proof"]["parts"]),
        )
        for answer in found["answers"]
    ]


READ_PAGE = """
[...document.querySelectorAll('.known .answer, .likely .answer')].map((answer) => {
  const head = answer.querySelector('.answer-head');
  if (head.getAttribute('aria-expanded') === 'false') head.click();
  const edges = [...answer.querySelectorAll('.edge[data-status]')].map((edge) => [
    edge.dataset.status, edge.querySelectorAll('.entity')[0].textContent,
    edge.querySelector('.arrow').textContent.replaceAll(/ — | → /g, '').replaceAll(' ', '_'),
    edge.querySelectorAll('.entity')[1].textContent]);
  const parts = [...answer.querySelectorAll('figure[data-part]')].map((part) => part.dataset.part);
  return {status: answer.dataset.status, key: answer.dataset.key,
          name: answer.querySelector('.name').textContent, proof: edges, parts};
})
"""


def seen_on_page(browser: Browser, address: str, question: str, *, k: int) -> list[Seen]:
    """Ask on the page by its address, open every proof, and return what it shows."""
    browser.open(f"{address}/?{urlencode({'q': question, 'k': k})}")
    browser.wait("document.querySelector('.answer, .problem')")
    return [
        Seen(
            status=answer["status"],
            key=answer["key"],
            name=answer["name"],
            proof=tuple(tuple(edge) for edge in answer["proof"]),
            parts=tuple(answer["parts"]),
        )
        for answer in browser.run(READ_PAGE)
    ]
