"""Layers that layerkit did not build: what other tools make of real packages, and what people do to zips."""
