"""On which line of a TOML text things stand."""

from layerkit.model.toml_lines import Lines

TEXT = '''\
# [not.a.table]
top = 1

[layer] # a comment = here
name = "x = [y]" # "quoted
description = """
[fake]
key = 1
"""
literal = \'\'\'
[fake]
\'\'\'
list = [
  "a", # ]
  { b = "}" },
]
after = 2
"quoted key" = 3
dotted.inner = 4
[build.image]
x86_64 = "i"
[[files]]
source = "a"
[[files]]
source = "b"
  target = 'c'
[[files.more]]
z = 1
'''


def test_each_key_stands_on_the_line_where_it_begins() -> None:
    lines = Lines(TEXT)
    assert lines.of("top") == 2
    assert lines.of("layer") == 4
    assert lines.of("layer", "name") == 5
    assert lines.of("layer", "description") == 6
    assert lines.of("layer", "literal") == 10
    assert lines.of("layer", "list") == 13
    assert lines.of("layer", "after") == 17
    assert lines.of("layer", "quoted key") == 18
    assert lines.of("layer", "dotted", "inner") == 19
    assert lines.of("build") == 20
    assert lines.of("build", "image", "x86_64") == 21


def test_entries_of_an_array_of_tables_are_told_apart() -> None:
    lines = Lines(TEXT)
    assert (lines.of("files", 0), lines.of("files", 0, "source")) == (22, 23)
    assert (lines.of("files", 1), lines.of("files", 1, "source"), lines.of("files", 1, "target")) == (24, 25, 26)
    assert lines.of("files", 1, "more", 0, "z") == 28


def test_what_is_not_there_stands_where_its_surroundings_stand() -> None:
    lines = Lines(TEXT)
    assert lines.of("layer", "missing") == 4
    assert lines.of("layer", "list", 1, "b") == 13
    assert lines.of("fake") == 1


def test_an_empty_text_has_one_line() -> None:
    assert Lines("").of("anything") == 1
