"""Scenes: an image taken apart into labelled parts and the relations between them."""
