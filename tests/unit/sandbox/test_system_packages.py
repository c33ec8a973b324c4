"""How packages of the system are installed, and what is said when they are not."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from layerkit.sandbox.place import Place
from layerkit.sandbox.system_packages import SystemPackagesFailed, SystemPackagesNotPossible, installation

if TYPE_CHECKING:
    from layerkit.sandbox.runner import Runner


@dataclass
class Somewhere:
    title: str = "image `x`"
    whole_system: bool = True


def place(installer: str | None) -> Place:
    return Place(
        interpreter="/usr/bin/python3", version="3.13.1", build="", machine="x86_64", glibc=(2, 34), installer=installer
    )


def commands(installer: str | None, *packages: str, whole_system: bool = True) -> tuple[tuple[str, ...], ...]:
    runner: Runner = Somewhere(whole_system=whole_system)  # type: ignore[assignment]
    return installation(runner, place(installer), packages)


@pytest.mark.parametrize("installer", ["dnf", "yum", "microdnf", "apk"])
def test_most_installers_take_one_command_that_asks_nothing(installer: str) -> None:
    (command,) = commands(installer, "a", "b")
    assert command[0] == installer
    assert command[-2:] == ("a", "b")
    assert installer == "apk" or "-y" in command


def test_apt_reads_its_lists_first() -> None:
    update, install = commands("apt-get", "libpq-dev")
    assert update[-1] == "update"
    assert install[-1] == "libpq-dev"
    assert "-y" in install


def test_nothing_is_done_for_no_packages_whatever_the_place() -> None:
    assert commands(None) == ()


def test_the_users_own_machine_is_left_as_it_is() -> None:
    with pytest.raises(SystemPackagesNotPossible, match="`libpq-dev` cannot be installed"):
        commands("apt-get", "libpq-dev", whole_system=False)


def test_a_place_without_an_installer_is_told() -> None:
    with pytest.raises(SystemPackagesNotPossible, match="none of dnf, yum, microdnf, apt-get, apk"):
        commands(None, "libpq-dev")


@pytest.mark.parametrize(
    "output",
    [
        "E: Unable to locate package nonsense",
        "No match for argument: nonsense\nError: Unable to find a match: nonsense",
        "ERROR: unable to select packages:\n  nonsense (no such package):",
        "No package nonsense available.",
    ],
)
def test_the_package_that_is_unknown_is_named_and_the_last_lines_are_shown(output: str) -> None:
    error = SystemPackagesFailed(title="image `x`", packages=["gcc", "nonsense"], output=output)
    assert "knows no `nonsense`" in error.message
    assert "gcc" not in error.message
    assert error.details[-1] == output.splitlines()[-1]


def test_other_failures_name_all_packages() -> None:
    error = SystemPackagesFailed(title="image `x`", packages=["gcc", "make"], output="could not resolve host")
    assert "installing `gcc`, `make` failed" in error.message
