"""Annotated images in the formats of others: COCO, Visual Genome, Label Studio."""
