"""What a build tells at its end: the layers it made, what failed, and the exit code."""

import os
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Final

from layerkit.cli.console import Console, meter
from layerkit.facts import RuntimeStatus, limits
from layerkit.model.finding import Code
from layerkit.model.limits import format_mib, format_size

if TYPE_CHECKING:
    from layerkit.build import Failure
    from layerkit.model.layer import Layer
    from layerkit.order import Job

_NAMED: Final = 6
_DESCRIBED: Final = 3  # layers; of more than that each gets one line
_FINDINGS: Final = 1


def warn_of_runtimes(jobs: Sequence["Job"], *, today: date, console: Console) -> None:
    """Warn of runtimes whose time is up, or has not come yet."""
    for runtime in {target.runtime.name: target.runtime for job in jobs for target in job.targets}.values():
        match runtime.status(today):
            case RuntimeStatus.PREVIEW:
                console.warning(
                    f"runtime `{runtime.name}` is a preview: what is built for it may have to be built again"
                )
            case RuntimeStatus.DEPRECATED:
                console.warning(f"runtime `{runtime.name}` is deprecated since {runtime.deprecated}")
            case RuntimeStatus.BLOCKED | RuntimeStatus.REMOVED:
                console.warning(
                    f"runtime `{runtime.name}` is deprecated since {runtime.deprecated};"
                    f" Lambda creates no functions with it since {runtime.create_block}"
                )
            case RuntimeStatus.CURRENT:
                pass


def show_layers(layers: Sequence["Layer"], console: Console, *, seconds: float, json: bool) -> None:
    """Print the layers: as JSON, as a few lines each, or under ``--quiet`` as paths."""
    for layer in layers:
        for finding in layer.findings:
            console.finding(finding)
    if json:
        console.result_json({"version": 1, "layers": [layer.to_json(path=os.fspath(layer.path)) for layer in layers]})
        return
    describe = _path if console.verbosity < 0 else _describe if len(layers) <= _DESCRIBED else _line
    for layer in layers:
        console.result(describe(layer))
    if layers:
        count = f"{len(layers)} layers" if len(layers) > 1 else "1 layer"
        console.say(f"Built {count} in {seconds:.1f}s")


def show_failures(failures: Sequence["Failure"], console: Console, *, of: int) -> None:
    """Print every failure; with several jobs also whose it is."""
    for failure in failures:
        if of > 1:
            console.say(f"{failure.job.title}:", least=-1)
        console.error(failure.error)


def exit_code_of(layers: Sequence["Layer"], failures: Sequence["Failure"]) -> int:
    """Return the gravest failure's code, else 1 if a layer is over its budget, else 0."""
    if failures:
        return max(failure.error.exit_code for failure in failures)
    over = any(finding.code is Code.SIZE_BUDGET for layer in layers for finding in layer.findings)
    return _FINDINGS if over else 0


def _path(layer: "Layer") -> str:
    return os.fspath(layer.path)


def _line(layer: "Layer") -> str:
    unzipped, zipped = format_mib(layer.unzipped_bytes), format_mib(layer.zipped_bytes)
    return f"{unzipped:>9} {meter(layer.unzipped_bytes, limits().unzipped_bytes)}  {zipped:>9} zipped  {layer.path}"


def _describe(layer: "Layer") -> str:
    limit = limits().unzipped_bytes
    runtimes, architectures = ", ".join(layer.compatible_runtimes), ", ".join(layer.compatible_architectures)
    files = "1 file" if layer.files == 1 else f"{layer.files} files"
    lines = [
        f"{layer.name} for {runtimes} {architectures}",
        f"  holds     {_distributions(layer)}",
        f"  unzipped  {format_mib(layer.unzipped_bytes)} of {limit // 2**20} MiB {meter(layer.unzipped_bytes, limit)}",
        f"  zipped    {format_mib(layer.zipped_bytes)} in {files}",
    ]
    pruned = sum(each.bytes for each in layer.pruned)
    stripped = sum(each.stripped_bytes for each in layer.distributions)
    saved = [f"{format_size(size)} {how}" for size, how in ((pruned, "pruned"), (stripped, "stripped")) if size]
    if saved:
        lines.append(f"  saved     {', '.join(saved)}")
    return "\n".join([*lines, f"  wrote     {layer.path}"])


def _distributions(layer: "Layer") -> str:
    largest = sorted(layer.distributions, key=lambda each: (-each.unzipped_bytes, each.name))
    names = [f"{each.name} {each.version}" for each in largest[:_NAMED]]
    rest = len(largest) - len(names)
    return ", ".join([*names, f"and {rest} more"] if rest else names) or "files of the recipe"
