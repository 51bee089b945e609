"""Evidence for language models: what the graph holds of an entity, and what fits a budget."""
