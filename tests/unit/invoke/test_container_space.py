"""Which Python of a container runs a function, or watches over it."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

import pytest

from layerkit.errors import BuildError
from layerkit.invoke.container_space import NoGlibc, NoWatcher, has_client, python_in
from layerkit.model.target import Target, parse_target
from layerkit.sandbox.container_errors import WrongMachine
from layerkit.sandbox.container_spec import ContainerSpec
from layerkit.sandbox.place import InterpreterNotInImage
from layerkit.sandbox.process import Completed
from layerkit.sandbox.runner import Order

if TYPE_CHECKING:
    from layerkit.sandbox.container import Container


class Image:
    """A container with these Pythons, path -> version, all of one machine and C library, and with these folders."""

    title = "image `x`"
    spec = ContainerSpec(image="x")

    def __init__(self, pythons: Mapping[str, str], *, libc: str | None = "glibc 2.34", folders: str = "") -> None:
        self.pythons = pythons
        self.libc = libc
        self.folders = folders

    def run(self, order: Order) -> Completed:
        program, *_, last = order.command
        if last.endswith("awslambdaric"):
            return Completed(status=0, stdout=last if last == self.folders else "", stderr="")
        if program == "/bin/sh":
            return Completed(status=0, stdout="\n".join(f"python {path}" for path in self.pythons), stderr="")
        version = self.pythons[program]
        return Completed(status=0, stdout=json.dumps(["CPython", version, "main", "x86_64", self.libc]), stderr="")


def container(pythons: Mapping[str, str], *, libc: str | None = "glibc 2.34", folders: str = "") -> "Container":
    return cast("Container", Image(pythons, libc=libc, folders=folders))


def target(text: str) -> Target:
    return parse_target(text)


def test_a_python_function_is_run_by_the_python_of_its_version() -> None:
    both = container({"/a": "3.12.1", "/b": "3.13.1"})
    assert python_in(both, target("python3.13-x86_64")).interpreter == "/b"
    with pytest.raises(InterpreterNotInImage):
        python_in(both, target("python3.14-x86_64"))


def test_a_custom_runtime_is_watched_over_by_whatever_python_there_is() -> None:
    assert python_in(container({"/a": "3.9.2"}, libc=None), target("provided.al2023-x86_64")).interpreter == "/a"


@pytest.mark.parametrize(("pythons", "found"), [({}, "found none at all"), ({"/a": "3.6.8"}, "found 3.6.8")])
def test_an_image_without_one_says_so(pythons: dict[str, str], found: str) -> None:
    with pytest.raises(NoWatcher, match=rf"image `x` has no Python 3\.8 or newer.*{found}"):
        python_in(container(pythons), target("provided.al2023-x86_64"))


@pytest.mark.parametrize(
    ("wanted", "libc", "error"),
    [("python3.13-arm64", "glibc 2.34", WrongMachine), ("python3.13-x86_64", None, NoGlibc)],
)
def test_another_machine_or_c_library_is_refused(wanted: str, libc: str | None, error: type[BuildError]) -> None:
    with pytest.raises(error):
        python_in(container({"/a": "3.13.1"}, libc=libc), target(wanted))


def test_an_image_of_awss_is_known_by_the_runtime_client_where_lambda_has_it() -> None:
    new, old = "/var/lang/lib/python3.13/site-packages/awslambdaric", "/var/runtime/awslambdaric"
    assert has_client(container({}, folders=new), target("python3.13-x86_64"))
    assert not has_client(container({}, folders=old), target("python3.13-x86_64"))
    assert has_client(container({}, folders=old), target("python3.9-x86_64"))
