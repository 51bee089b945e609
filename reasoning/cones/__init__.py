"""Cone embeddings: ConE and RConE, their training and their answerers."""
