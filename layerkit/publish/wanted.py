"""What the configuration wants of a layer in a destination, names and all."""

from layerkit.model.publishing import Publishing, filled
from layerkit.publish.artifact import Artifact
from layerkit.publish.plan import Destination, Wanted


def wanted_of(
    artifact: Artifact, publishing: Publishing, destination: Destination, *, prune_permissions: bool = False
) -> Wanted:
    """Return what shall be true of a layer there."""
    template = publishing.ssm_parameter
    return Wanted(
        artifact=artifact,
        share=publishing.share,
        parameter=filled(template, _fields(artifact, destination)) if template is not None else None,
        prune_permissions=prune_permissions,
    )


def bucket_name(template: str, artifact: Artifact, destination: Destination) -> str:
    """Return the staging bucket's name, in which S3 allows neither ``_`` nor capitals."""
    return filled(template, _fields(artifact, destination)).replace("_", "-").lower()


def _fields(artifact: Artifact, destination: Destination) -> dict[str, str]:
    return {
        "name": artifact.name,
        "runtime": "-".join(artifact.runtimes) or "any",
        "architecture": "-".join(artifact.architectures) or "any",
        "region": destination.region,
        "account": destination.number,
    }
