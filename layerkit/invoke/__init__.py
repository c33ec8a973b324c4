"""Layers at work: what happens to them as Lambda runs them."""
