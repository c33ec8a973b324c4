"""Runs inside a place, under its own Python (3.8 or newer), without layerkit: start a program in settled surroundings.

``python launch.py ENVIRONMENT.json PROGRAM ARGUMENT…`` takes away what would steer Python and pip from outside, adds
the variables of the file, which may be secret, and becomes the program.
"""

import json
import os
import sys

_FOREIGN = ("PIP_", "UV_")
_PYTHON = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONUSERBASE")


def main():  # type: ignore[no-untyped-def] # noqa: ANN201, D103
    _, variables, *command = sys.argv
    for name in list(os.environ):
        if name.startswith(_FOREIGN) or name in _PYTHON:
            del os.environ[name]
    with open(variables, encoding="utf-8") as stream:  # noqa: PTH123 -- faster to start
        os.environ.update(json.load(stream))
    try:
        os.execvp(command[0], command)  # noqa: S606 -- no shell is wanted
    except OSError as exc:
        sys.exit("{}: {}".format(command[0], exc.strerror))  # noqa: UP032


main()  # type: ignore[no-untyped-call]
