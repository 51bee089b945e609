"""What to ask next: facts that part the answers of a question, and what to leave out of it."""

from __future__ import annotations

from reasoning.suggesting.choosing import best_for, chosen
from reasoning.suggesting.facts import Fact, facts_about
from reasoning.suggesting.relaxing import Relaxation, relaxations

__all__ = ["Fact", "Relaxation", "best_for", "chosen", "facts_about", "relaxations"]
