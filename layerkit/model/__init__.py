"""The nouns and Lambda's rules over them; pure."""
