"""What this machine is called."""

import pytest

from layerkit.sandbox.machine import Machine


@pytest.mark.parametrize(
    ("machine", "architecture"),
    [
        ("x86_64", "x86_64"),
        ("AMD64", "x86_64"),
        ("aarch64", "arm64"),
        ("arm64", "arm64"),
        ("ARM64", "arm64"),
        ("riscv64", None),
    ],
)
def test_lambda_has_one_name_for_what_systems_call_differently(machine: str, architecture: str | None) -> None:
    assert Machine(system="any", machine=machine, glibc=None).architecture == architecture
