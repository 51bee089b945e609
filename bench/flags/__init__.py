"""Benches on flags: what they share, the pictures of two artists and what descriptions say."""
