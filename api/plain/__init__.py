"""Questions in plain language turned into queries: by rules, or by a model that the user names."""
