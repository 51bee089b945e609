"""Relations between annotated objects: which predicate holds of which pair of boxes."""
