"""Run by the target's interpreter, as a file: import modules of a layer as Lambda would, and tell what happens.

Reads JSON from stdin: ``modules``, ``root`` (the layer's folder, ``/opt`` where possible), ``task`` (the function's
folder), ``drop`` (give up being root), ``timeout`` (seconds a module). Writes one line of JSON an event to stdout:
``begin`` with facts about the interpreter, ``pth`` with what ``.pth`` files complained about, ``start`` and ``end`` of
each module, ``done``. What modules print goes to stderr; so does the trace of a crash, or of a module that hangs, after
which the process ends. Uses nothing but the standard library of Python 3.8 and newer.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import io
import json
import os
import platform
import site
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = "{}.{}".format(*sys.version_info[:2])
SITE_PACKAGES = f"/var/lang/lib/python{VERSION}/site-packages"
NOBODY = 65534
BUNDLED_IN_SITE_PACKAGES = (3, 11)  # before, the runtime's own distributions lay in /var/runtime
EXTENSIONS = ("_bz2", "_ctypes", "_curses", "_dbm", "_gdbm", "_hashlib", "_lzma", "_sqlite3", "_ssl", "readline")


def bundled_folders() -> list[str]:
    """Return where the runtime's own distributions lie, if this is the system of a Lambda runtime."""
    folders = ["/var/runtime"]
    if sys.version_info >= BUNDLED_IN_SITE_PACKAGES:
        folders.insert(0, SITE_PACKAGES)
    return folders if any(Path(folder, "boto3").is_dir() for folder in folders) else []


def search_path(root: str, task: str, standard: list[str]) -> list[str]:
    """Return ``sys.path`` as Lambda has it: function, layers, the runtime's distributions, the standard library.

    From 3.11 on Lambda names its ``site-packages`` twice: before ``/var/runtime``, and at the end.
    """
    layers = [f"{root}/python/lib/python{VERSION}/site-packages", f"{root}/python"]
    bundled = bundled_folders()
    return [task, *layers, *bundled, *standard, *([SITE_PACKAGES] if bundled else [])]


def prepare(root: str, task: str) -> str:
    """Set ``sys.path`` and run the ``.pth`` files of function and layer; return what came of these to stderr."""
    here = str(Path(__file__).resolve().parent)
    standard = [path for path in sys.path if str(Path(path).resolve()) != here]
    sys.path[:] = search_path(root, task, standard)
    sys.argv[:] = [""]
    for helper in (site.setquit, site.setcopyright, site.sethelper):
        helper()
    with contextlib.redirect_stderr(io.StringIO()) as complaints:
        for folder in sys.path[:3]:
            site.addsitedir(folder)
    return complaints.getvalue()


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and what led to it."""
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def last_line(error: BaseException) -> str:
    """Return an exception as the last line of its traceback shows it."""
    try:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    except Exception:  # noqa: BLE001 -- anybody's __str__
        lines = []
    return f"{type(error).__name__}: {lines[-1]}" if lines else type(error).__name__


def place_of(error: BaseException, root: str) -> str | None:
    """Return the innermost file and line of the layer in which an exception was raised."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    found, trace = None, error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name.startswith(f"{root}/python/") and not name.startswith(sys.base_prefix):
            found = f"{name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found


def describe(error: BaseException, root: str) -> dict[str, Any]:
    """Return what is to be told about an import that failed."""
    standard = getattr(sys, "stdlib_module_names", EXTENSIONS)
    links = list(chain(error))
    missing = [each.name for each in links if isinstance(each, ModuleNotFoundError) and each.name]
    return {
        "exits": isinstance(error, SystemExit),
        "error": last_line(error),
        "causes": [last_line(each) for each in links[1:]],
        "missing": missing,
        "standard": [name for name in missing if name.partition(".")[0] in standard],
        "at": place_of(error, root),
    }


def drop_privileges() -> None:
    """Become a user who may not write the layer, unless that one could not read the standard library either."""
    folders = [path for path in sys.path if Path(path).is_dir()]
    try:
        os.setgroups([])
        os.setgid(NOBODY)
        os.seteuid(NOBODY)
        for folder in folders:
            os.scandir(folder).close()
        os.seteuid(0)
        os.setuid(NOBODY)
    except OSError:
        os.seteuid(os.getuid())


def main() -> None:
    """Do what stdin asks for."""
    order = json.load(sys.stdin)
    root, timeout = order["root"], order["timeout"]
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    trace = os.dup(2)
    os.dup2(2, 1)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)

    def tell(event: str, **facts: Any) -> None:
        channel.write(json.dumps({"event": event, **facts}) + "\n")
        channel.flush()

    faulthandler.enable(file=trace)
    if order["drop"]:
        drop_privileges()
    faulthandler.dump_traceback_later(timeout, exit=True, file=trace)
    tell("begin", python=platform.python_version(), bundled=bool(bundled_folders()))
    tell("pth", complaints=prepare(root, order["task"]))
    for module in order["modules"]:
        tell("start", module=module)
        faulthandler.dump_traceback_later(timeout, exit=True, file=trace)
        try:
            importlib.import_module(module)
        except BaseException as error:  # noqa: BLE001 -- whatever a module does
            tell("end", module=module, failure=describe(error, root))
        else:
            tell("end", module=module, failure=None)
    tell("done")
    os._exit(0)  # what threads and exit handlers of modules do is not the question


if __name__ == "__main__":
    main()
