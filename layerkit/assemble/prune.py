"""Decide which files of the fragments a layer leaves out, and why. Pure: a plan, nothing is removed here.

The plan needs to see the whole layer: a package's ``tests`` go only if nothing outside such folders refers to them.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from layerkit.assemble.fragment import Fragment, FragmentFile
from layerkit.assemble.globs import PathPattern, glob_expression
from layerkit.errors import UsageError
from layerkit.facts.pruning import PruneRule, RuleKind, prune_rules
from layerkit.formats.wheel import Scheme, Script
from layerkit.model.recipe_parts import Prune, PruneProfile

_DROPPED: Final = "drop"
_SERVICES: Final = "botocore-services"
_SDK: Final = ("botocore", "boto3")


class UnknownServices(UsageError):
    """``botocore-services`` names services that the layer's botocore does not have."""

    def __init__(self, *, unknown: Sequence[str], known: Sequence[str]) -> None:
        import difflib

        close = {match for name in unknown for match in difflib.get_close_matches(name, known, n=2)}
        what = ", ".join(f"`{name}`" for name in unknown)
        way_out = f"did you mean {', '.join(sorted(close))}?" if close else "the names are those of `boto3.client(…)`"
        super().__init__(
            f"`botocore-services` names {what}, which this layer has not"
            if known
            else "`botocore-services` is set, but botocore is not in the layer",
            hint=way_out if known else "leave it out, or add boto3 to the requirements",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """What is left of one fragment, and what went by which rule; ``scripts`` are to be written for it."""

    fragment: Fragment
    kept: tuple[FragmentFile, ...]
    scripts: tuple[Script, ...]
    removed: tuple[tuple[FragmentFile, str], ...]

    @property
    def pruned_bytes(self) -> int:
        """Unzipped bytes of the files that went."""
        return sum(file.unzipped_bytes for file, _ in self.removed)


@dataclass(frozen=True, kw_only=True, slots=True)
class PrunePlan:
    """The plan for a whole layer; ``unmatched`` are patterns of ``keep`` and ``drop`` that no file has."""

    selections: tuple[Selection, ...]
    unmatched: tuple[str, ...]


def plan_pruning(fragments: Sequence[Fragment], options: Prune) -> PrunePlan:
    """Decide for every file. Raises ``UnknownServices``."""
    _check_services(fragments, options)
    judge = _Judge(fragments, options)
    selections = tuple(_select(fragment, judge) for fragment in fragments)
    used = set(judge.used)
    return PrunePlan(
        selections=selections,
        unmatched=tuple(text for text in (*options.keep, *options.drop) if text not in used),
    )


def path_in_layer(file: FragmentFile, *, distribution: str) -> str:
    """Return a file's path as patterns see it: within ``site-packages``, or within ``/opt`` for the other schemes."""
    match file.scheme:
        case Scheme.SCRIPTS:
            return f"bin/{file.path}"
        case Scheme.HEADERS:
            return f"include/{distribution}/{file.path}"
        case Scheme.LIB | Scheme.DATA:
            return file.path


def _select(fragment: Fragment, judge: "_Judge") -> Selection:
    kept: list[FragmentFile] = []
    removed: list[tuple[FragmentFile, str]] = []
    for file in fragment.files:
        rule = judge.verdict(fragment, file)
        if rule is None:
            kept.append(file)
        else:
            removed.append((file, rule))
    scripts = tuple(script for script in fragment.scripts if not judge.is_dropped(f"bin/{script.name}", fragment))
    return Selection(fragment=fragment, kept=tuple(kept), removed=tuple(removed), scripts=scripts)


class _Judge:
    """Knows the rules and who refers to what; says which rule, if any, takes a file."""

    def __init__(self, fragments: Sequence[Fragment], options: Prune) -> None:
        self._keep = tuple(PathPattern(text) for text in options.keep)
        self._drop = tuple(PathPattern(text) for text in options.drop)
        self._services = frozenset(options.botocore_services)
        self._rules = prune_rules() if options.profile is PruneProfile.STANDARD else ()
        self._expressions = {rule.name: _expression(rule) for rule in self._rules}
        self._dead = {
            rule.name: unreferenced_folders(fragments, rule.folders)
            for rule in self._rules
            if rule.kind is RuleKind.PACKAGES
        }
        self.used: Counter[str] = Counter()

    def is_dropped(self, path: str, fragment: Fragment) -> bool:
        """Tell whether the options leave out a file that layerkit itself would write."""
        return not self._any(self._keep, path, fragment) and self._any(self._drop, path, fragment)

    def verdict(self, fragment: Fragment, file: FragmentFile) -> str | None:
        """Return the name of the rule that takes the file."""
        path = path_in_layer(file, distribution=fragment.distribution)
        if self._any(self._keep, path, fragment):
            return None
        if self._any(self._drop, path, fragment):
            return _DROPPED
        if self._services and (service := _service_of(path)) is not None and service not in self._services:
            return _SERVICES
        if file.scheme is Scheme.LIB and path.startswith(f"{fragment.dist_info}/"):
            return None
        return next((rule.name for rule in self._rules if self._takes(rule, path, fragment)), None)

    def _any(self, patterns: Sequence[PathPattern], path: str, fragment: Fragment) -> bool:
        if not patterns:
            return False
        matching = [pattern.text for pattern in patterns if pattern.matches(path, distribution=fragment.distribution)]
        self.used.update(matching)
        return bool(matching)

    def _takes(self, rule: PruneRule, path: str, fragment: Fragment) -> bool:
        match rule.kind:
            case RuleKind.PACKAGES:
                folder = _folder_named(path, rule.folders)
                return folder is not None and folder in self._dead[rule.name]
            case RuleKind.FILES:
                return self._matches(rule, path)
            case RuleKind.STUBS:
                return self._matches(rule, path) and not _read_beside(path, fragment)

    def _matches(self, rule: PruneRule, path: str) -> bool:
        return self._expressions[rule.name].fullmatch(path) is not None


def unreferenced_folders(fragments: Sequence[Fragment], names: Sequence[str]) -> frozenset[str]:
    """Return the packages of those names inside packages that nothing outside them refers to, as paths.

    A folder that something refers to stays, and what its own files refer to stays with it.
    """
    paths = {file.path for fragment in fragments for file in fragment.files if file.scheme is Scheme.LIB}
    found = {folder for path in paths if (folder := _folder_named(path, names)) is not None}
    folders = {folder for folder in found if f"{folder}/__init__.py" in paths}
    referring: dict[str | None, set[str]] = {None: set()}
    for fragment in fragments:
        referring[None].update(script.module for script in fragment.scripts)
        for path, modules in fragment.references.items():
            owner = _folder_named(path, names)
            referring.setdefault(owner if owner in folders else None, set()).update(modules)
    return frozenset(folders - _reached(folders, referring))


def _reached(folders: set[str], referring: Mapping[str | None, set[str]]) -> set[str]:
    alive: set[str] = set()
    waiting: list[str | None] = [None]
    while waiting:
        modules = referring.get(waiting.pop(), set())
        for module in modules:
            new = {folder for folder in _prefixes(module) if folder in folders} - alive
            alive |= new
            waiting += new
    return alive


def _prefixes(module: str) -> list[str]:
    parts = module.split(".")
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]


def _folder_named(path: str, names: Sequence[str]) -> str | None:
    parts = path.split("/")
    for depth in range(1, len(parts) - 1):
        if parts[depth] in names:
            return "/".join(parts[: depth + 1])
    return None


def _read_beside(path: str, fragment: Fragment) -> bool:
    folder = path.rpartition("/")[0]
    return any(reader.rpartition("/")[0] == folder for reader in fragment.stub_readers)


def _service_of(path: str) -> str | None:
    parts = path.split("/")
    return parts[2] if len(parts) > 3 and parts[0] in _SDK and parts[1] == "data" else None  # noqa: PLR2004


def _check_services(fragments: Sequence[Fragment], options: Prune) -> None:
    if not options.botocore_services:
        return
    paths = (file.path for fragment in fragments if fragment.distribution in _SDK for file in fragment.files)
    known = {service for path in paths if (service := _service_of(path)) is not None}
    unknown = [name for name in options.botocore_services if name not in known]
    if unknown:
        raise UnknownServices(unknown=unknown, known=sorted(known))


def _expression(rule: PruneRule) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{glob_expression(pattern)})" for pattern in rule.patterns), re.DOTALL)
