"""Requirements -> a PEP 751 lock for one target, or for all targets of a universal layer."""
