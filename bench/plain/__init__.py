"""Questions in plain English for `bench.plain_questions`."""
