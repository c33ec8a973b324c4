"""A lock -> verified wheels in the cache."""
