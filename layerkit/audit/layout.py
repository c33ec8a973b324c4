"""What lies where no runtime looks: folders, archives, another language's packages.

Anything at ``/opt`` can be read by its absolute path: files are judged only where they are meant to be found by name.
Source: https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from layerkit.audit.homes import without_junk
from layerkit.audit.layout_python import function_python_findings, is_self_driven, layer_python_findings
from layerkit.audit.weight import count, examples, place, weight
from layerkit.model.contents import Contents, HeldFile
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.limits import format_size
from layerkit.model.stack import Stack
from layerkit.model.target import Target

_RUNTIME: Final = re.compile(r"(?P<family>[a-z]+)(?P<version>\d+(?:\.\d+)?)?")
_ARCHIVES: Final = (".zip", ".tar.gz", ".tgz", ".tar")
_LOOKS_ANYWHERE: Final = frozenset({"provided", "custom"})  # a runtime of the user's own


@dataclass(frozen=True, kw_only=True, slots=True)
class _Family:
    """Runtimes of one language: their folder in a layer; what in it is for one version, and for all of them."""

    folder: str
    title: str
    versioned: re.Pattern[str] | None = None
    common: str | None = None


_PYTHON: Final = "python"
_FAMILIES: Final = {
    _PYTHON: _Family(folder="python/", title="Python"),
    "nodejs": _Family(
        folder="nodejs/",
        title="Node.js",
        versioned=re.compile(r"nodejs/node(?P<version>\d+)/node_modules/"),
        common="nodejs/node_modules/",
    ),
    "ruby": _Family(
        folder="ruby/",
        title="Ruby",
        versioned=re.compile(r"ruby/gems/(?P<version>\d+\.\d+)\.\d+/"),
        common="ruby/lib/",
    ),
    "java": _Family(folder="java/", title="Java"),
}


def layout_findings(stack: Stack, targets: Sequence[Target]) -> Iterator[Finding]:
    """Yield what no runtime of the targets looks at; without targets, what none of those looks at that layers name."""
    runtimes = _runtimes(stack, targets)
    families = {family for family, _ in runtimes}
    for layer in stack.layers:
        if not families or _PYTHON in families:
            versions = tuple(version for family, version in runtimes if family == _PYTHON)
            yield from layer_python_findings(layer, versions or (None,))
            yield from _wheels(layer)
        if not families or "nodejs" in families:
            yield from _node_modules(layer)
        yield from _archive(layer)
        yield from _other_versions(layer, runtimes)
        yield from _other_languages(layer, runtimes)
    if stack.function is not None and (not families or _PYTHON in families):
        yield from function_python_findings(stack.function)


def _runtimes(stack: Stack, targets: Sequence[Target]) -> tuple[tuple[str, str | None], ...]:
    """Return family and version of each runtime: ``("python", "3.12")``."""
    names = [target.runtime.name for target in targets]
    if not names:
        told = [part.runtimes for part in (stack.function, *stack.layers) if part is not None and part.runtimes]
        names = list(told[0]) if told else []
    matches = (_RUNTIME.match(name) for name in dict.fromkeys(names))
    return tuple((match["family"], match["version"]) for match in matches if match)


def _wheels(layer: Contents) -> Iterator[Finding]:
    files = [file for file in without_junk(layer) if file.path.endswith(".whl") and file.owner is None]
    if files:
        paths = tuple(file.path for file in files)
        nothing_else = len(files) == len(without_junk(layer))
        yield Finding(
            code=Code.LAYOUT_UNREACHABLE,
            severity=Severity.ERROR if nothing_else else Severity.WARNING,
            where=place(layer, paths),
            message=f"{examples(paths)} cannot be imported: Lambda unpacks the layer's zip, but no wheel in it",
            hint="install wheels with `pip install --target python …` and zip the folder `python`",
            paths=paths,
        )


def _archive(layer: Contents) -> Iterator[Finding]:
    match without_junk(layer):
        case (HeldFile(path=path),) if path.endswith(_ARCHIVES):
            yield Finding(
                code=Code.LAYOUT_UNREACHABLE,
                severity=Severity.WARNING,
                where=f"{layer.where}: {path}",
                message=f"the layer holds nothing but the archive `{path}`, which Lambda does not unpack",
                hint="publish the inner archive as the layer, unless a function opens it by its path",
                paths=(path,),
            )
        case _:
            pass


def _node_modules(layer: Contents) -> Iterator[Finding]:
    files = [file for file in layer.files if file.path.startswith("node_modules/")]
    if not files or is_self_driven(layer) or any(map(_is_script_at_the_top, layer.files)):
        return
    reached = any(file.path.startswith("nodejs/") for file in layer.files)
    yield Finding(
        code=Code.LAYOUT_UNREACHABLE,
        severity=Severity.WARNING if reached else Severity.ERROR,
        where=f"{layer.where}: node_modules" if reached else layer.where,
        message="packages cannot be required by name: `node_modules/` lies at the top, and Node.js looks in"
        " `nodejs/node_modules/`",
        hint="put `node_modules` below `nodejs/`",
        paths=tuple(file.path for file in files),
    )


def _is_script_at_the_top(file: HeldFile) -> bool:
    """Whether it may be a program that finds ``node_modules`` beside itself."""
    return "/" not in file.path and ("." not in file.path or file.path.endswith((".js", ".mjs", ".cjs", ".sh")))


def _other_versions(layer: Contents, runtimes: Sequence[tuple[str, str | None]]) -> Iterator[Finding]:
    """Yield packages of Node.js or Ruby that are in a folder of another version only."""
    for name, version in runtimes:
        family = _FAMILIES.get(name)
        if family is None or family.versioned is None or family.common is None or version is None:
            continue
        matches = {file.path: family.versioned.match(file.path) for file in layer.files}
        found = {path: match["version"] for path, match in matches.items() if match}
        if not found or version in found.values() or any(path.startswith(family.common) for path in matches):
            continue
        others = sorted(set(found.values()))
        yield Finding(
            code=Code.LAYOUT_UNREACHABLE,
            severity=Severity.ERROR,
            where=layer.where,
            message=f"{family.title} {version} finds no package in this layer: they lie in folders that only"
            f" {' and '.join(f'{family.title} {other}' for other in others)} looks at",
            hint=f"build the layer for {family.title} {version}",
            paths=tuple(found),
        )


def _other_languages(layer: Contents, runtimes: Sequence[tuple[str, str | None]]) -> Iterator[Finding]:
    """Yield what only runtimes of other languages look at, where there is nothing for the stack's own."""
    families = {family for family, _ in runtimes}
    own = families | {match["family"] for name in layer.runtimes if (match := _RUNTIME.match(name))}
    if not families or own & _LOOKS_ANYWHERE:
        return
    looking = " and ".join(f"{family}{version or ''}" for family, version in runtimes)
    held = {
        name: [file for file in layer.files if file.path.startswith(each.folder)] for name, each in _FAMILIES.items()
    }
    if any(held.get(name) for name in own):
        return
    for name, files in held.items():
        if files:
            yield Finding(
                code=Code.LAYOUT_UNREACHABLE,
                severity=Severity.NOTE,
                where=f"{layer.where}: {_FAMILIES[name].folder.rstrip('/')}",
                message=f"{count(len(files), 'file')}, {format_size(weight(files))}, for {_FAMILIES[name].title} only:"
                f" {looking} looks elsewhere",
                hint="leave the layer out if nothing opens these files by their path",
                paths=tuple(file.path for file in files),
            )
