"""A layer -> findings."""
