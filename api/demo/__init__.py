"""The demo: the whole path on real data, and the report that measures it."""
