"""Keeping a graph well: a check that takes nothing on faith, backup and restore."""
