"""Run by the target's interpreter, as a file: be a function's process as Lambda starts it, and watch over it.

Stands for ``/var/runtime/bootstrap.py``. Forks: the child sets ``sys.path`` as Lambda does and becomes AWS's own
runtime client (by way of the wrapper that the function names, if it does), or becomes the function's or a layer's own
``bootstrap``; the parent becomes ``watch_function``, which lies beside it. What to do comes as a line of JSON on stdin:
``programs`` (where a ``bootstrap`` may be, none for Python), ``handler``, ``task``, ``layers`` (the folders of ``/opt``
for Python), ``bundled`` (those of the runtime's own distributions), ``last`` (what ends the search path),
``pythonpath`` (for child processes), ``names`` (of the variables that the function may see), ``memory`` (in bytes),
``bytecode`` (whether it may be written) and ``mark`` (what begins a mark on stderr, where the interpreter was told to
time imports; else empty).

Uses nothing but the standard library of Python 3.8 and newer, and little of that: all of it counts as the function's
start.
"""

from __future__ import annotations

import json
import os
import site
import sys

TYPE_CHECKING = False  # without the import, which takes its time
if TYPE_CHECKING:
    from typing import Any, NoReturn

PIPE = 4096
WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
ORDER = "LAYERKIT_ORDER"  # a variable: wrappers add arguments, and take the last one for the script
TIMED = "PYTHONPROFILEIMPORTTIME"
NOT_THERE, NOT_EXECUTABLE = 127, 126


def become_function(order: dict[str, Any], complaints: int) -> NoReturn:
    """Run what the function runs in, until it ends."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    for name in set(os.environ) - set(order["names"]):
        del os.environ[name]
    if order["programs"]:
        become_program(order["programs"], complaints)
    os.close(complaints)
    if os.environ.get(WRAPPER):
        become_wrapper(os.environ[WRAPPER], order)
    become_client(order)


def become_program(programs: list[str], complaints: int) -> NoReturn:
    """Become the first program that is there; say why, in Lambda's words, where that cannot be."""
    path = next(filter(os.path.isfile, programs), None)
    if path is None:
        reason = "Couldn't find valid bootstrap(s): [{}]".format(" ".join(programs))
    else:
        reason = f"fork/exec {path}: {why_not_executed([path])}"
    os.write(complaints, reason.encode())
    os._exit(1)


def become_wrapper(wrapper: str, order: dict[str, Any]) -> NoReturn:
    """Become the program that the function wants around its runtime, which starts this very file again.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html
    """
    os.environ[ORDER] = json.dumps(order)
    if order["mark"]:
        os.environ[TIMED] = "1"
    status = NOT_EXECUTABLE
    if not os.path.isfile(wrapper):  # noqa: PTH113 -- pathlib takes its time
        status, reason = NOT_THERE, "does not exist"
    elif not os.access(wrapper, os.X_OK):
        reason = "is not an executable"
    else:
        reason = why_not_executed([wrapper, sys.executable, "-S", os.path.abspath(__file__)])  # noqa: PTH100 -- the same
    os.write(2, f"{wrapper}: {reason}\n".encode())
    os._exit(status)


def why_not_executed(command: list[str]) -> str:
    """Become another program; where that cannot be, return why."""
    import signal

    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # which Python ignores, and whatever it starts would
    try:
        os.execv(command[0], command)  # noqa: S606 -- no shell is wanted
    except OSError as error:
        return str(error.strerror).lower()


def become_client(order: dict[str, Any]) -> NoReturn:
    """Run AWS's runtime client as the bootstrap of Lambda does."""
    sys.dont_write_bytecode = not order["bytecode"]
    user_path = "PYTHONPATH" in os.environ
    standard = sys.path[1:]
    with_client(order)
    if order["mark"]:
        watch_imports(order["mark"])
    layers = [] if user_path else order["layers"]
    sys.path[:] = [order["task"], *layers, *order["bundled"], *standard, order["last"]]
    for helper in (site.setquit, site.setcopyright, site.sethelper):
        helper()
    for folder in filter(os.path.isdir, (order["task"], *layers)):
        site.addsitedir(folder)
    if not user_path:
        os.environ["PYTHONPATH"] = order["pythonpath"]
    sys.argv[:] = ["awslambdaric", os.environ.get("_HANDLER", order["handler"])]  # which a wrapper may have changed
    program = sys.modules["__main__"] = sys.modules["awslambdaric.__main__"]
    program.main(sys.argv)
    sys.exit()


def with_client(order: dict[str, Any]) -> None:
    """Import the runtime client before layers can shadow it, as Lambda's bootstrap does."""
    sys.path[:0] = order["bundled"]
    __import__("awslambdaric.bootstrap")
    __import__("awslambdaric.lambda_runtime_client")
    __import__("awslambdaric.__main__")


def watch_imports(mark: str) -> None:
    """Mark on stderr where the function's imports begin, and where those of its start end; let all of them be timed.

    CPython times ``import`` statements, but not ``importlib.import_module``, by which handlers are imported.
    """
    import importlib.util

    client = sys.modules["awslambdaric.lambda_runtime_client"].LambdaRuntimeClient
    by_itself, wait = importlib.import_module, client.wait_next_invocation

    def import_module(name: str, package: str | None = None) -> Any:
        if name.startswith("."):
            if not package:
                return by_itself(name, package)
            name = importlib.util.resolve_name(name, package)
        __import__(name)
        return sys.modules[name]

    def wait_next_invocation(this: Any) -> Any:
        write_mark(mark, "ready")
        return wait(this)

    importlib.import_module = import_module
    client.wait_next_invocation = wait_next_invocation
    write_mark(mark, "begin")


def write_mark(mark: str, what: str, descriptor: int = 2) -> None:
    """Write a mark to stderr, in between whatever else is written there; nothing where nobody wants marks."""
    if not mark:
        return
    try:  # noqa: SIM105 -- contextlib takes its time
        os.write(descriptor, f"{mark}{what}\n".encode())
    except OSError:
        pass


def without_own_imports(mark: str) -> int:
    """Return where marks go; what this process imports from now on is told to nobody, as it is not the function's."""
    if not mark:
        return 2
    marks, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    os.close(nothing)
    return marks


def first_line() -> bytes:
    """Read a line from stdin and not a byte more."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            os._exit(0)
        line += byte
    return line


def main() -> None:
    """Start the function and watch over it."""
    if getattr(sys.flags, "safe_path", False):  # the function's PYTHONSAFEPATH keeps this file's folder out
        sys.path.insert(0, os.path.dirname(__file__))  # noqa: PTH120 -- pathlib takes its time
    if ORDER in os.environ:
        os.environ.pop(TIMED, None)
        become_client(json.loads(os.environ.pop(ORDER)))
    order = json.loads(first_line())
    listening, speaking = os.pipe()
    pid = os.fork()
    if pid == 0:
        become_function(order, speaking)
    os.close(speaking)
    marks = without_own_imports(order["mark"])
    sys.dont_write_bytecode = True
    watch = __import__("watch_function").watch
    complaint = os.read(listening, PIPE).decode()
    watch(pid, order["memory"], complaint, lambda: write_mark(order["mark"], "here", marks))


if __name__ == "__main__":
    main()
