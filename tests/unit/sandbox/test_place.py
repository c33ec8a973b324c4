"""Which interpreter of a place is taken, and what is told where none serves."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from layerkit.sandbox.place import InterpreterNotInImage, look_around
from layerkit.sandbox.process import Completed
from layerkit.sandbox.runner import Order


class Image:
    """A place with these interpreters: path -> (implementation, version, C library)."""

    home = "/layerkit"
    secrets = "/run/layerkit"
    title = "image `x`"
    identity = "sha256:0"
    whole_system = True

    def __init__(self, pythons: Mapping[str, tuple[str, str, str | None]], *, installers: tuple[str, ...] = ()) -> None:
        self.pythons = pythons
        self.installers = installers

    def run(self, order: Order) -> Completed:
        program = order.command[0]
        if program == "/bin/sh":
            lines = [f"python {path}" for path in self.pythons] + [f"installer {name}" for name in self.installers]
            return Completed(status=0, stdout="\n".join(lines), stderr="")
        implementation, version, libc = self.pythons[program]
        if implementation == "broken":
            return Completed(status=1, stdout="", stderr="Segmentation fault")
        answer = [implementation, version, f"{version} (main)", "x86_64", libc]
        return Completed(status=0, stdout=json.dumps(answer), stderr="")

    def put(self, files: Mapping[str, bytes], *, secret: bool = False) -> None:
        raise NotImplementedError

    def put_folder(self, folder: Path, *, at: str) -> None:
        raise NotImplementedError

    def get(self, path: str, into: Path) -> None:
        raise NotImplementedError


def test_the_first_of_the_version_is_taken() -> None:
    image = Image(
        {
            "/opt/python/cp313-cp313t/bin/python": ("CPython", "3.13.1", "glibc 2.34"),
            "/opt/python/cp312-cp312/bin/python": ("CPython", "3.12.9", "glibc 2.34"),
            "/opt/python/cp313-cp313/bin/python": ("CPython", "3.13.2", "glibc 2.34"),
        },
        installers=("yum", "dnf"),
    )
    place = look_around(image, "3.13")
    assert place.interpreter == "/opt/python/cp313-cp313/bin/python"
    assert (place.version, place.glibc, place.installer) == ("3.13.2", (2, 34), "dnf")


def test_the_version_is_asked_not_read_from_the_path() -> None:
    image = Image({"/usr/bin/python3.13": ("CPython", "3.12.1", None), "/usr/bin/python3": ("CPython", "3.13.0", None)})
    assert look_around(image, "3.13").interpreter == "/usr/bin/python3"


@pytest.mark.parametrize("libc", [None, "musl 1.2", "glibc", "glibc x.y"])
def test_another_c_library_is_none(libc: str | None) -> None:
    assert look_around(Image({"/p": ("CPython", "3.11.4", libc)}), "3.11").glibc is None


def test_what_is_there_instead_is_told() -> None:
    image = Image(
        {"/a": ("PyPy", "3.13.0", None), "/b": ("broken", "3.13.0", None), "/c": ("CPython", "3.1.3", None)},
    )
    with pytest.raises(InterpreterNotInImage, match=r"no Python 3\.13 in image `x`") as caught:
        look_around(image, "3.13")
    assert caught.value.details == ("found PyPy 3.13.0 (/a), CPython 3.1.3 (/c)",)
    with pytest.raises(InterpreterNotInImage) as caught:
        look_around(Image({}), "3.13")
    assert caught.value.details == ("found none at all",)
