"""What the configuration wants of a layer in a destination, names and all."""

import re
from typing import Final

from layerkit.errors import UsageError
from layerkit.model.publishing import Publishing, filled
from layerkit.publish.artifact import Artifact
from layerkit.publish.plan import Destination, Wanted

_BUCKET: Final = re.compile(r"(?!xn--)[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]", re.ASCII)
_PARAMETER: Final = re.compile(r"(?:/[\w.-]+)+", re.ASCII)
_PARAMETER_LENGTH: Final = 900  # with its ARN at most 1,011
_PARAMETER_LEVELS: Final = 15
_SHOWN: Final = 120


class UnfitName(UsageError):
    """A name, made from a template, that AWS does not take."""

    def __init__(self, *, name: str, what: str, allowed: str, key: str) -> None:
        shown = name if len(name) <= _SHOWN else name[:_SHOWN] + "…"
        super().__init__(f"`{shown}` cannot be {what}'s name: {allowed}", hint=f"change `{key}` in [publish]")


def wanted_of(
    artifact: Artifact, publishing: Publishing, destination: Destination, *, prune_permissions: bool = False
) -> Wanted:
    """Return what shall be true of a layer there."""
    template = publishing.ssm_parameter
    return Wanted(
        artifact=artifact,
        share=publishing.share,
        parameter=_parameter(template, artifact, destination) if template is not None else None,
        prune_permissions=prune_permissions,
    )


def bucket_name(template: str, artifact: Artifact, destination: Destination) -> str:
    """Return the staging bucket's name, in which S3 allows neither ``_`` nor capitals. Raises ``UnfitName``."""
    name = filled(template, _fields(artifact, destination)).replace("_", "-").lower()
    if not _BUCKET.fullmatch(name):
        raise UnfitName(
            name=name, what="an S3 bucket", allowed="3 to 63 letters, digits, `-` and `.`", key="staging-bucket"
        )
    return name


def _parameter(template: str, artifact: Artifact, destination: Destination) -> str:
    name = filled(template, _fields(artifact, destination))
    if not _PARAMETER.fullmatch(name) or len(name) > _PARAMETER_LENGTH or name.count("/") > _PARAMETER_LEVELS:
        allowed = f"{_PARAMETER_LEVELS} levels of letters, digits, `_`, `.` and `-`, {_PARAMETER_LENGTH} characters"
        raise UnfitName(name=name, what="an SSM parameter", allowed=f"at most {allowed}", key="ssm-parameter")
    return name


def _fields(artifact: Artifact, destination: Destination) -> dict[str, str]:
    return {
        "name": artifact.name,
        "runtime": "-".join(artifact.runtimes) or "any",
        "architecture": "-".join(artifact.architectures) or "any",
        "region": destination.region,
        "account": destination.number,
    }
