"""Readers of file formats: each yields records, and rejects for rows that are none."""
