"""Neuro-symbolic answering: fuzzy sets over known and predicted edges."""
