"""CaCao: more annotations for rare predicates, by a visually prompted language model."""
