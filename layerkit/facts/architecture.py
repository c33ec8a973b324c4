"""The two architectures, in Lambda's words."""

from enum import StrEnum


class Architecture(StrEnum):
    """An instruction set, as Lambda names it."""

    X86_64 = "x86_64"
    ARM64 = "arm64"

    @property
    def machine(self) -> str:
        """The name that wheels, ELF and ``uname -m`` have for it."""
        return "aarch64" if self is Architecture.ARM64 else "x86_64"
