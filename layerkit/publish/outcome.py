"""What became of one layer in one destination."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from layerkit.errors import LayerkitError
from layerkit.publish.plan import Grant, Statement, Step


class Status(StrEnum):
    """The words that scripts may rely on."""

    PUBLISHED = "published"
    UNCHANGED = "unchanged"  # the version was there; its permissions or parameter may have been mended
    PLANNED = "planned"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How a step ended. ``version_number`` and ``arn`` are ``None`` where there is no version yet.

    ``added`` and ``removed`` are the permissions that were changed, or are planned to be.
    """

    step: Step
    status: Status
    version_number: int | None = None
    arn: str | None = None
    error: LayerkitError | None = None
    added: tuple[Grant, ...] = ()
    removed: tuple[Statement, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the JSON shape."""
        artifact, destination = self.step.wanted.artifact, self.step.destination
        return {
            "layer": artifact.name,
            "layer_name": artifact.layer_name,
            "compatible_runtimes": list(artifact.runtimes),
            "compatible_architectures": list(artifact.architectures),
            "account": destination.number,
            "region": destination.region,
            "status": str(self.status),
            "version_number": self.version_number,
            "arn": self.arn,
            "code_sha256": artifact.code_sha256,
            "error": None if self.error is None else self.error.message,
        }
