"""The ``[example]`` of a recipe, or several as ``[[example]]``: functions that prove the layer."""

import re
from pathlib import PurePosixPath
from typing import Final

from layerkit.facts import limits
from layerkit.model.recipe_parts import Example
from layerkit.model.recipe_sections import matching
from layerkit.model.toml_section import Document, Section

_HANDLER: Final = re.compile(r"[^\s.][^\s]*\.[^\s.]+")
_MODULE: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_ONLY_WITH_HANDLER: Final = ("code", "event", "answer", "services", "layers", "env", "timeout", "memory")


def read_examples(document: Document) -> tuple[Example, ...]:
    """Read every example; of several each has a name of its own."""
    sections = document.one_or_more("example")
    examples = [_example(section) for section in sections]
    for place, (section, example) in enumerate(zip(sections, examples, strict=True)):
        if len(examples) > 1 and not example.name:
            section.complain(f"one of several {section.title} has no `name`")
        elif example.name in [earlier.name for earlier in examples[:place]]:
            section.complain(f"two {section.title} have the name `{example.name}`", "name")
    return tuple(examples)


def _example(section: Section) -> Example:
    defaults = Example()
    example = Example(
        name=_name(section),
        handler=section.text("handler"),
        code=_path(section, "code"),
        event=_path(section, "event"),
        answer=_path(section, "answer"),
        services=_path(section, "services"),
        after=_path(section, "after"),
        layers=section.texts("layers") or defaults.layers,
        env=section.mapping("env"),
        timeout=section.number("timeout"),
        memory=section.number("memory"),
        imports=matching(section, "imports", _MODULE, what="module"),
    )
    _check(section, example)
    section.finish()
    return example


def _check(section: Section, example: Example) -> None:
    if example.handler is None:
        for key in filter(section.has, _ONLY_WITH_HANDLER):
            section.complain(f"`{key}` in {section.title} says something of a function, but there is no `handler`", key)
    elif not _HANDLER.fullmatch(example.handler):
        section.complain(f"handler `{example.handler}` in {section.title} is not MODULE.FUNCTION", "handler")
    for key, allowed in (("timeout", limits().timeout_seconds), ("memory", limits().memory_mib)):
        value = getattr(example, key)
        if value is not None and not allowed.least <= value <= allowed.most:
            section.complain(f"`{key}` in {section.title} is not within {allowed.least} to {allowed.most}", key)
    if example.after and not example.services:
        section.complain(f"`after` in {section.title} is what `services` have seen, but there are none", "after")


def _name(section: Section) -> str:
    name = section.text("name") or ""
    if name and not _NAME.fullmatch(name):
        section.complain(f"name `{name}` in {section.title} must consist of letters, digits, `-` and `_`", "name")
    return name


def _path(section: Section, key: str) -> str | None:
    path = section.text(key)
    if path is not None and PurePosixPath(path).is_absolute():
        section.complain(f"`{key}` in {section.title} is absolute; it is relative to the recipe's folder", key)
        return None
    return path
