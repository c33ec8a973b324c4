"""Which layer is meant: by the name it is published under, or by the zip or manifest that was published."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from layerkit.errors import AwsError, UsageError
from layerkit.facts import limits
from layerkit.facts.regions import regions
from layerkit.model.publishing import Account, Publishing
from layerkit.publish.artifact import Artifact
from layerkit.publish.artifacts import Labels, read_artifact

_FILES: Final = (".zip", ".layer.json")


class NoLayerName(UsageError):
    """A text that is neither a layer's name nor a file of one."""

    def __init__(self, *, text: str) -> None:
        super().__init__(
            f"`{text}` is not a layer: neither a published name, nor a zip or its manifest",
            hint="the name is the one that AWS knows, such as `requests-python313-x86_64`",
        )


class NowhereFound(AwsError):
    """A layer that no destination has."""

    def __init__(self, *, name: str) -> None:
        super().__init__(
            f"no destination has a layer `{name}`",
            hint="published names may hold runtime and architecture: name the zip, or see `layerkit publish --plan`",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """A layer by its published name; ``artifact`` is the file that named it, if one did."""

    layer_name: str
    artifact: Artifact | None = None


def layer_named(text: str, *, template: str) -> Named:
    """Return the layer that is meant. Raises ``NoLayerName``, ``UnpublishableFile`` and the like."""
    if text.endswith(_FILES):
        artifact = read_artifact(Path(text), labels=Labels(), template=template)
        return Named(layer_name=artifact.layer_name, artifact=artifact)
    if not limits().is_layer_name(text):
        raise NoLayerName(text=text)
    return Named(layer_name=text)


def is_layer_name(text: str) -> bool:
    """Whether Lambda takes a text as the name of a layer."""
    return limits().is_layer_name(text)


def in_partition(publishing: Publishing, region: str) -> Publishing:
    """Return the configuration with only the accounts whose credentials may be good for a region's partition."""
    partition = regions()[region].partition if region in regions() else "aws"
    accounts = tuple(account for account in publishing.accounts if _partition_of(account) in {None, partition})
    return replace(publishing, accounts=accounts)


def _partition_of(account: Account) -> str | None:
    """Return the partition that an account's role or regions give away."""
    if account.roles:
        return account.roles[-1].split(":")[1]
    known = [regions()[name].partition for name in account.regions if name in regions()]
    return known[0] if known else None
