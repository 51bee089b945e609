"""Questions in plain English, read by rules: what words mean in a graph, and how they combine."""

from reasoning.plain.grammar import Heard, Plain, read_plain
from reasoning.plain.lexicon import Lexicon, stem

__all__ = ["Heard", "Lexicon", "Plain", "read_plain", "stem"]
