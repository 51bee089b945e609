"""Benches: figures and speed, measured by committed commands, kept as JSON, shown as pages."""
