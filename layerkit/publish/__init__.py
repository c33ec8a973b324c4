"""A layer -> versions in accounts and regions."""
