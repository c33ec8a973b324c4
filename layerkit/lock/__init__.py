"""Requirements -> a PEP 751 lock for one target."""
