"""The command line's entry: ``main(argv)`` is the one place where errors become messages and exit codes."""

import contextlib
import errno
import gc
import os
import sys
from collections.abc import Sequence
from typing import Annotated, Final, NoReturn

import typer
from typer.exceptions import TyperException

from layerkit import __version__
from layerkit.cli.commands import CommandGroup
from layerkit.cli.console import Console, open_what_is_closed, output_failed
from layerkit.errors import LayerkitError, UsageError

_INTERRUPTED: Final = 130
_OBJECTS_BETWEEN_SEARCHES: Final = 100_000

app: Final = typer.Typer(
    name="layerkit",
    cls=CommandGroup,
    help="Turn requirements into AWS Lambda layers that fit and work.",
    add_completion=False,
    rich_markup_mode=None,  # rich would double the time that --help takes
    pretty_exceptions_enable=False,  # they print local variables, hence secrets
    context_settings={"help_option_names": ["-h", "--help"]},
)


class CommandLineError(UsageError):
    """Options or arguments that the command line does not have."""

    def __init__(self, *, problem: str) -> None:
        from layerkit.lock.inputs import without_credentials

        super().__init__(without_credentials(problem.rstrip(".")), hint="`layerkit COMMAND --help` shows what there is")


def _show_version(value: bool) -> None:
    if value:
        Console().result(f"layerkit {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    del version


def main(argv: Sequence[str]) -> int:
    """Run a command line (without the program's name) and return its exit code.

    0 done; 1 findings; 2 usage or recipe; 3 resolution; 4 fetch or hash; 5 build; 6 would not work on Lambda; 7 AWS;
    130 Ctrl-C. A reader of the output that goes away early changes nothing of that.
    """
    try:
        return _flushed(_run(argv))
    except LayerkitError as exc:
        Console().error(exc)
        return exc.exit_code


def _flushed(code: int) -> int:
    Console().flush()
    return code


def _run(argv: Sequence[str]) -> int:
    try:
        result = typer.main.get_command(app).main(
            args=list(argv) or ["--help"], prog_name="layerkit", standalone_mode=False, obj=tuple(argv)
        )
    except TyperException as exc:
        raise CommandLineError(problem=exc.format_message()) from exc
    except (KeyboardInterrupt, typer.Abort):
        result = _INTERRUPTED
    except SystemExit:  # Typer's, where nobody reads the help to its end
        return 0
    except OSError as exc:
        if exc.errno != errno.ENOSPC or exc.filename is not None:
            raise
        raise output_failed(exc) from exc  # Typer's own output, which is help
    if result == _INTERRUPTED:  # so Typer answers Ctrl-C, too
        Console().say("interrupted")
    return result if isinstance(result, int) else 0


def entry_point() -> NoReturn:
    """Run this process's own command line and exit; Ctrl-C is answered at whatever moment it comes.

    Commands are short: the garbage of one is seldom worth a search, and nobody waits for Python to clear up after it.
    """
    gc.set_threshold(_OBJECTS_BETWEEN_SEARCHES)
    try:
        open_what_is_closed()
        code = main(sys.argv[1:])
    except KeyboardInterrupt:
        code = _INTERRUPTED
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.flush()
    os._exit(code)
