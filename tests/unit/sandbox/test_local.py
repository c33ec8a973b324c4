"""Which machines may build for which targets."""

import pytest

from layerkit.sandbox.local import LocalUnfit, check_fit
from layerkit.sandbox.machine import Machine

AL2023 = (2, 34)


@pytest.mark.parametrize("glibc", [(2, 17), (2, 28), (2, 34)])
def test_a_machine_at_or_below_the_ceiling_serves(glibc: tuple[int, int]) -> None:
    check_fit(Machine(system="linux", machine="x86_64", glibc=glibc), target="t", wanted="x86_64", glibc=AL2023)


@pytest.mark.parametrize(
    ("machine", "reason"),
    [
        (Machine(system="darwin", machine="x86_64", glibc=None), "does not run Linux"),
        (Machine(system="linux", machine="aarch64", glibc=(2, 34)), "is aarch64, not x86_64"),
        (Machine(system="linux", machine="x86_64", glibc=None), "not glibc"),
        (Machine(system="linux", machine="x86_64", glibc=(2, 35)), r"has glibc 2\.35, and the target's is 2\.34"),
        (Machine(system="linux", machine="x86_64", glibc=(3, 0)), r"has glibc 3\.0"),
    ],
)
def test_others_are_refused_with_the_reason(machine: Machine, reason: str) -> None:
    with pytest.raises(LocalUnfit, match=reason) as caught:
        check_fit(machine, target="python3.13-x86_64", wanted="x86_64", glibc=AL2023)
    assert "python3.13-x86_64" in caught.value.message
    assert caught.value.exit_code == 5
