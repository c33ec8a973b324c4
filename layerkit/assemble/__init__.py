"""Wheels -> a layer zip."""
