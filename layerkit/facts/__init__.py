"""What AWS and the PEPs say, loaded from data files and checked."""
