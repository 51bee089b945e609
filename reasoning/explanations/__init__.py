"""Proofs for people: the tree of an answer as text, as JSON and as a picture."""
