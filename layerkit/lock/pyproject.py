"""Requirements from a pyproject.toml: dependencies, extras, dependency groups (PEP 621, PEP 735)."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from layerkit.errors import system_reason
from layerkit.lock.failures import RequirementsFileError, UnknownSelectionError
from layerkit.model.names import normalize

_NAME: Final = re.compile(r"^\s*([A-Za-z0-9._-]+)")


def read_pyproject(path: Path, *, extras: Sequence[str] = (), groups: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the project's dependencies, and those of the extras and groups named.

    Raises ``RequirementsFileError`` for a file that does not say them, ``UnknownSelectionError`` for names it lacks.
    """
    data = _load(path)
    project = data.get("project", {})
    if problems := _problems(project, has_groups=bool(groups), with_extras=bool(extras)):
        raise RequirementsFileError(path=path, problems=problems)
    requirements = list(project.get("dependencies", ()))
    if extras:
        requirements += _of_extras(path, project, extras)
    if groups:
        requirements += _of_groups(path, data.get("dependency-groups", {}), groups)
    return tuple(dict.fromkeys(requirements))


def _load(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        problem = f"it cannot be read: {system_reason(exc)}"
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        problem = f"it is not TOML: {exc}"
    raise RequirementsFileError(path=path, problems=[problem])


def _problems(project: Mapping[str, Any], *, has_groups: bool, with_extras: bool) -> list[str]:
    if not isinstance(project, dict) or (not project and not has_groups):
        return ["it has no [project] table"]
    dynamic = project.get("dynamic", ())
    problems = [
        f"`{key}` is dynamic, so only the project's build backend knows it; export it to a requirements.txt"
        for key, wanted in (("dependencies", True), ("optional-dependencies", with_extras))
        if key in dynamic and wanted
    ]
    if not _is_texts(project.get("dependencies", [])):
        problems.append("`project.dependencies` is not a list of texts")
    optional = project.get("optional-dependencies", {})
    if not isinstance(optional, dict) or not all(map(_is_texts, optional.values())):
        problems.append("`project.optional-dependencies` is not a table of lists of texts")
    return problems


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _of_extras(path: Path, project: Mapping[str, Any], extras: Sequence[str]) -> list[str]:
    known = {normalize(name): lines for name, lines in project.get("optional-dependencies", {}).items()}
    found: list[str] = []
    seen: set[str] = set()
    waiting = [normalize(extra) for extra in extras]
    if unknown := [extra for extra in waiting if extra not in known]:
        raise UnknownSelectionError(path=path, kind="extra", names=unknown, valid=sorted(known))
    while waiting:
        extra = waiting.pop(0)
        if extra in seen:
            continue
        seen.add(extra)
        for line in known.get(extra, ()):
            own = _own_extras(line, str(project.get("name", "")))
            if own is None:
                found.append(line)
            elif unknown := [name for name in own if name not in known]:
                raise UnknownSelectionError(path=path, kind="extra", names=unknown, valid=sorted(known))
            else:
                waiting += own
    return found


def _own_extras(requirement: str, project_name: str) -> list[str] | None:
    """Return the extras that a requirement on the project itself asks for, ``None`` if it is about another project."""
    match = _NAME.match(requirement)
    if match is None or normalize(match[1]) != normalize(project_name):
        return None
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return sorted(normalize(extra) for extra in Requirement(requirement).extras)
    except InvalidRequirement:
        return None


def _of_groups(path: Path, table: Mapping[str, Any], groups: Sequence[str]) -> list[str]:
    from packaging.dependency_groups import resolve_dependency_groups

    known = {normalize(name) for name in table}
    if unknown := [group for group in groups if normalize(group) not in known]:
        raise UnknownSelectionError(path=path, kind="group", names=unknown, valid=sorted(known))
    try:
        return [str(line) for line in resolve_dependency_groups(table, *groups)]
    except ExceptionGroup as exc:
        problems = [str(each) for each in exc.exceptions]
    except (ValueError, LookupError, TypeError) as exc:
        problems = [str(exc)]
    raise RequirementsFileError(path=path, problems=problems)
