"""The commands by name, each read from its module when it is asked for: none waits for the imports of the others."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, Final, cast

import typer
from typer.core import TyperGroup

NAMES: Final = (
    "build",
    "lock",
    "audit",
    "diff",
    "publish",
    "versions",
    "used-by",
    "retire",
    "adopt",
    "unshare",
    "invoke",
    "matrix",
    "runtimes",
    "doctor",
    "recipes",
    "cache",
)
"""In the order in which help tells them; each has a module of its name, with an ``app`` or a function of that name."""


class Commands(Mapping[str, Any]):
    """All commands; reading one imports it."""

    def __getitem__(self, name: str) -> Any:
        if name not in NAMES:
            raise KeyError(name)
        return _command(name)

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)


class CommandGroup(TyperGroup):
    """The program: its commands are ``Commands``."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = cast("Any", Commands())


def _command(name: str) -> Any:
    own = name.replace("-", "_")
    module = import_module(f"layerkit.cli.{own}")
    app = getattr(module, "app", None)
    if app is None:
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(name)(getattr(module, own))
    command = typer.main.get_command(app)
    command.name = name
    return command
