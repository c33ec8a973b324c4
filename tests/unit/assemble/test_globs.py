"""Patterns over paths."""

import pytest

from layerkit.assemble.globs import PathPattern


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*.c", "a.c", True),
        ("*.c", "a/b.c", False),
        ("**/*.c", "a.c", True),
        ("**/*.c", "a/b/c.c", True),
        ("a/**", "a/b/c", True),
        ("a/**", "a", False),
        ("a", "a/b/c", True),
        ("a/", "a/b", True),
        ("a", "ab", False),
        ("a/*/c", "a/b/c/d", True),
        ("a?c", "a/c", False),
        ("[ab].py", "b.py", True),
        ("[!ab].py", "b.py", False),
        ("x[!a]y", "x/y", False),
        ("x[.-0]y", "x/y", False),
        ("[[]1[]]", "[1]", True),
        ("[*]", "*", True),
        ("[*]", "a", False),
        ("[z-a]", "b", False),
        ("[\\d]", "5", False),
        ("[^a]", "^", True),
        ("[", "[", True),
        ("[]", "[]", True),
        ("a.b", "axb", False),
        ("a\nb", "a\nb", True),
    ],
)
def test_a_pattern_takes_what_it_says(pattern: str, path: str, matches: bool) -> None:
    assert PathPattern(pattern).matches(path, distribution="demo") is matches


def test_a_distribution_limits_a_pattern_however_it_is_spelled() -> None:
    pattern = PathPattern("Foo_Bar:**/*.c")
    assert pattern.matches("a/b.c", distribution="foo-bar")
    assert not pattern.matches("a/b.c", distribution="demo")
    assert (pattern.distribution, PathPattern("**").distribution) == ("foo-bar", None)
