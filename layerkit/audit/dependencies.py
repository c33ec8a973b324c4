"""What distributions require, against what the stack and the runtime have."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from layerkit.audit.import_roots import SearchPath, search_path_of
from layerkit.audit.requirements import Wish, fits, only_wants_newer, wishes
from layerkit.audit.weight import examples
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.stack import Stack
from layerkit.model.target import PythonTarget, Target

# What else a distribution is published as: the same modules, made for other machines or without parts.
_STUBS_START: Final = "types-"
_STUBS_END: Final = "-stubs"
_VARIANTS: Final = ("-binary", "-headless", "-contrib-headless", "-cpu", "-gpu", "-slim")


@dataclass(frozen=True, slots=True)
class _Lack:
    """What is to be said for one target; the message may hold ``{runtime}``, so that several can share it."""

    severity: Severity
    where: str
    message: str
    hint: str


def dependency_findings(stack: Stack, targets: Sequence[Target]) -> Iterator[Finding]:
    """Yield what is required and not there, for Python targets, one finding for each missing distribution."""
    found: dict[_Lack, list[str]] = {}
    for target in targets:
        if isinstance(target, PythonTarget):
            for lack in _lacks(search_path_of(stack, target), target):
                found.setdefault(lack, []).append(target.runtime.name)
    for lack, runtimes in found.items():
        yield Finding(
            code=Code.PYTHON_MISSING_DEPENDENCY,
            severity=lack.severity,
            where=lack.where,
            message=lack.message.replace("{runtime}", ", ".join(dict.fromkeys(runtimes))),
            hint=lack.hint,
        )


def _lacks(path: SearchPath, target: PythonTarget) -> Iterator[_Lack]:
    held = _versions(path)
    bundled = {each.name: each.version for each in target.runtime.bundled}
    missing: dict[str, list[Wish]] = {}
    for wish in wishes(path, target.marker_environment):
        if wish.name in held:
            if not any(fits(version, wish.specifier) for version in held[wish.name]):
                yield _unfitting(wish, held[wish.name][0])
        elif not path.stack.is_whole:
            continue  # a part that nobody could read may have it
        elif wish.name in bundled:
            if not fits(bundled[wish.name], wish.specifier):
                yield _unfitting_runtime(wish, bundled[wish.name], target)
        else:
            missing.setdefault(wish.name, []).append(wish)
    for name, wanting in missing.items():
        if not _stands_in(name, held.keys()) and not _is_without_metadata(name, path):
            yield _missing(wanting)


def _versions(path: SearchPath) -> Mapping[str, Sequence[str]]:
    """Return the version of each distribution that is imported; several where one folder has metadata of several."""
    imported = path.imported()
    found: dict[str, dict[str, None]] = {}
    for placed in path.placed():
        name, version = placed.distribution.name, placed.distribution.version
        if placed.rank == imported[name].rank:
            found.setdefault(name, {})[version] = None
    return {name: tuple(versions) for name, versions in found.items()}


def _stands_in(name: str, held: Collection[str]) -> bool:
    """Whether nothing is missing at run time: stubs, or another making of the same modules is there."""
    if name.startswith(_STUBS_START) or name.endswith(_STUBS_END):
        return True
    base = next((name.removesuffix(variant) for variant in _VARIANTS if name.endswith(variant)), name)
    return base in held or any(f"{base}{variant}" in held for variant in _VARIANTS)


def _is_without_metadata(name: str, path: SearchPath) -> bool:
    """Whether a package of that name is there, though its metadata was left out."""
    module = name.replace("-", "_")
    spellings = {module, name.replace("-", "/"), module.removeprefix("python_"), module.removeprefix("py")}
    for part in path.stack.parts:
        for root in path.roots_of(part):
            starts = tuple(f"{root.start}{spelling}{end}" for spelling in spellings for end in ("/", ".py"))
            if any(file.path.lower().startswith(starts) for file in part.files):
                return True
    return False


def _missing(wanting: Sequence[Wish]) -> _Lack:
    wish = wanting[0]
    others = [by for by in dict.fromkeys(each.by for each in wanting) if by != wish.by]
    so_do = f"; so {'does' if len(others) == 1 else 'do'} {examples(others)}" if others else ""
    return _Lack(
        Severity.WARNING,
        wish.where,
        f"`{wish.by}` requires `{wish.name}{wish.specifier}`, which neither the stack nor {{runtime}} has{so_do}",
        f"add {wish.name} to a layer, unless the function brings it",
    )


def _unfitting(wish: Wish, version: str) -> _Lack:
    return _Lack(
        Severity.WARNING,
        wish.where,
        f"{wish.by} requires `{wish.name}{wish.specifier}`, and the stack has {version}",
        f"put a fitting {wish.name} into the layer",
    )


def _unfitting_runtime(wish: Wish, version: str, target: PythonTarget) -> _Lack:
    """Return what is to be said of a bundled version: AWS only ever updates it, so it may be newer by now."""
    seen = target.runtime.bundled_seen
    on = f" on {seen.isoformat()}" if seen is not None else ""
    return _Lack(
        Severity.NOTE if only_wants_newer(version, wish.specifier) else Severity.WARNING,
        wish.where,
        f"{wish.by} requires `{wish.name}{wish.specifier}`, and {{runtime}} brings {version}"
        f" (as seen{on}; AWS updates it without notice)",
        f"put a fitting {wish.name} into the layer",
    )
