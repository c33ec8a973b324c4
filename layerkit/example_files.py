"""The files of a recipe's example: all of them there, and what they should be, before anything is built for it."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layerkit.errors import RecipeError, system_reason
from layerkit.invoke.variables import BadVariables, check_variables
from layerkit.model.recipe import Example, Recipe

_WITHOUT = {"answer": "leave `answer` out to see what the function answers"}


@dataclass(frozen=True, kw_only=True, slots=True)
class ExampleFiles:
    """What the files hold. ``wanted`` has ``answer`` and ``after``, as far as there is something to compare with."""

    event: bytes
    wanted: Mapping[str, Any]


def read_example(recipe: Recipe, example: Example, *, event: bytes | None) -> ExampleFiles:
    """Read what an example needs; nothing is compared with an ``event`` of the user's own.

    Raises ``RecipeError`` with everything that is missing or wrong.
    """
    problems = [*_missing(recipe.path.parent, example), *_bad_variables(example)]
    names = ("event", "answer", "after") if event is None else ()
    values: dict[str, Any] = {}
    for key in names:
        if (name := getattr(example, key)) is not None:
            _read(recipe.path.parent / name, name, key, values=values, complain=problems.append)
    if problems:
        raise RecipeError(path=recipe.path, problems=problems)
    own = json.dumps(values.pop("event", {})).encode()
    return ExampleFiles(event=own if event is None else event, wanted=values)


def _missing(folder: Path, example: Example) -> Iterator[str]:
    if example.code is not None and not (folder / example.code).exists():
        yield f"`code` in [example] is `{example.code}`, which is not there"
    if example.services is not None and not (folder / example.services).is_file():
        yield f"`services` in [example] is `{example.services}`, which is no file"


def _bad_variables(example: Example) -> Iterator[str]:
    try:
        check_variables(example.env)
    except BadVariables as exc:
        yield from (f"`env` in [example]: {line}" for line in exc.details)


def _read(path: Path, name: str, key: str, *, values: dict[str, Any], complain: Callable[[str], None]) -> None:
    try:
        values[key] = json.loads(path.read_bytes(), parse_constant=_refuse)
    except FileNotFoundError:
        way_out = f"; {_WITHOUT[key]}" if key in _WITHOUT else ""
        complain(f"`{key}` in [example] is `{name}`, which is not there{way_out}")
    except OSError as exc:
        complain(f"`{name}` cannot be read: {system_reason(exc)}")
    except (ValueError, RecursionError) as exc:
        complain(f"`{name}` is no JSON: {exc}")


def _refuse(constant: str) -> None:
    raise ValueError(f"it has no {constant}")
