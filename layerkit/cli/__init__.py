"""The command line: parse, call a room, render, exit code."""
