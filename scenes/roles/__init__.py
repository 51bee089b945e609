"""Who does what to whom: relation models that do not take "A rides B" for "B rides A"."""
