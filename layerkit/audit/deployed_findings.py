"""What is to be said about a deployed function and its layers, beside what their zips hold."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Final

from layerkit.audit.weight import examples
from layerkit.facts.runtime import PythonRuntime, Runtime, RuntimeStatus, runtimes
from layerkit.model.arn import LayerVersionArn
from layerkit.model.contents import Contents
from layerkit.model.finding import Code, Finding, Severity

if TYPE_CHECKING:
    from layerkit.aws.functions import FunctionConfiguration
    from layerkit.aws.layers import LayerSummary

_UNCOUNTED: Final = "its unzipped size is unknown and not counted here"


def runtime_findings(name: str, where: str, today: date) -> Iterator[Finding]:
    """Yield what is to be said about the age of a runtime."""
    runtime = runtimes().get(name)
    if runtime is None or runtime.deprecated is None:
        return
    status = runtime.status(today)
    if status in {RuntimeStatus.PREVIEW, RuntimeStatus.CURRENT}:
        return
    removed = status is RuntimeStatus.REMOVED
    yield Finding(
        code=Code.RUNTIME_DEPRECATED,
        severity=Severity.ERROR if removed else Severity.WARNING,
        where=where,
        message=f"runtime `{name}` is deprecated since {runtime.deprecated}{_blocks(runtime, today)}",
        hint="move the function to a newer runtime, and build its layers for that",
    )


def _blocks(runtime: Runtime, today: date) -> str:
    blocks = ((runtime.create_block, "functions cannot be created"), (runtime.update_block, "or updated"))
    told = [f"{what} {'since' if day <= today else 'from'} {day}" for day, what in blocks if day is not None]
    return f"; {', '.join(told)}" if told else ""


def python_path_findings(
    python_path: str | None, runtime: str | None, layers: Sequence[Contents], where: str
) -> Iterator[Finding]:
    """Yield what ``PYTHONPATH`` hides: the runtime then adds no folder of a layer to the path by itself."""
    found = runtimes().get(runtime or "")
    if not python_path or not isinstance(found, PythonRuntime):
        return
    named = {part.rstrip("/") for part in python_path.split(":")}
    site = f"python/lib/python{found.python_version}/site-packages"
    seen = {folder for folder in ("python", site) if f"/opt/{folder}" in named}
    hidden = [layer.name or layer.where for layer in layers if _lies_in(layer, {"python", site} - seen, site)]
    if hidden:
        yield Finding(
            code=Code.FUNCTION_PYTHONPATH,
            severity=Severity.ERROR,
            where=where,
            message="`PYTHONPATH` is set, so the runtime leaves the folders of layers out of Python's path:"
            f" nothing of {examples(hidden)} can be imported from there",
            hint="remove `PYTHONPATH` from the function's environment, or add `/opt/python` to it",
        )


def _lies_in(layer: Contents, folders: set[str], site: str) -> bool:
    """Tell whether a layer has Python files in one of the folders; of one that could not be read, that it may."""
    if not layer.files:
        return bool(folders)
    inside_site = any(file.path.startswith(f"{site}/") for file in layer.files)
    directly = any(
        file.path.startswith("python/") and not file.path.startswith("python/lib/python3.") for file in layer.files
    )
    return (site in folders and inside_site) or ("python" in folders and directly)


def region_finding(arn: LayerVersionArn, region: str) -> Iterator[Finding]:
    """Yield that a layer is elsewhere than its function."""
    if arn.region != region:
        yield Finding(
            code=Code.LAYER_REGION,
            severity=Severity.ERROR,
            where=str(arn),
            message=f"the layer is in {arn.region} and the function in {region}: Lambda takes layers of its own region",
            hint=f"publish the layer in {region}",
        )


def deleted_finding(arn: str) -> Finding:
    """Return that a version is no longer there."""
    return Finding(
        code=Code.LAYER_DELETED,
        severity=Severity.ERROR,
        where=arn,
        message="this layer version has been deleted: functions that have it keep running, but Lambda will refuse the"
        f" next change of their layers that keeps it; {_UNCOUNTED}",
        hint="give the function a version that is there",
    )


def denied_finding(arn: str, reason: str | None) -> Finding:
    """Return that a version may not be read: not shared any more, deleted by its owner, or never granted."""
    because = f" ({reason})" if reason else ""
    return Finding(
        code=Code.LAYER_DENIED,
        severity=Severity.WARNING,
        where=arn,
        message=f"AWS denies access to this layer version{because}: it is not, or no longer, shared with this account,"
        f" or its owner deleted it; what it holds was not checked, and {_UNCOUNTED}",
        hint="ask its owner to share it, and allow `lambda:GetLayerVersion` on it to whoever audits",
    )


def outdated_finding(
    arn: LayerVersionArn, newest: "LayerSummary", function: "FunctionConfiguration"
) -> Iterator[Finding]:
    """Yield that there is a newer version for the function's runtime and architecture."""
    fits = (not newest.runtimes or function.runtime in newest.runtimes) and (
        not newest.architectures or function.architecture in newest.architectures
    )
    if newest.number > arn.version and fits:
        since = f", of {newest.created[:10]}" if newest.created else ""
        yield Finding(
            code=Code.LAYER_OUTDATED,
            severity=Severity.NOTE,
            where=str(arn),
            message=f"version {newest.number} of this layer is there{since}; the function has version {arn.version}",
        )
