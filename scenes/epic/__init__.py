"""Epic: relations with an open vocabulary, whose predicates are scored by their names."""
