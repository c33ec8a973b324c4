"""For which targets a version has wheels: asked only when something went wrong."""

import tomllib
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from layerkit.facts import runtimes
from layerkit.index import IndexSettings
from layerkit.lock.explain import python_needed
from layerkit.lock.uv import Question, ask
from layerkit.model.target import PlainTarget, PythonTarget, make_target

_OLDEST: Final = (3, 8)  # what uv still resolves for


def known_targets() -> tuple[PythonTarget, ...]:
    """Return every Python target that layers can be built for, oldest Python first, without previews."""
    pairs = [
        (runtime.name, arch)
        for runtime in runtimes().values()
        if not (runtime.removed or runtime.preview)
        for arch in runtime.architectures
    ]
    targets = [make_target(name, architecture) for name, architecture in pairs]
    pythons = [target for target in targets if not isinstance(target, PlainTarget)]
    return tuple(sorted(pythons, key=lambda target: (target.runtime.python, target.architecture != "x86_64")))


def wheels_of(
    requirement: str, settings: IndexSettings, *, exclude_newer: str | None, offline: bool
) -> list[Mapping[str, Any]]:
    """Return the PEP 751 tables of all wheels of the one version that ``requirement`` names, for whatever platform.

    The oldest Python that the version supports tells the most; so the oldest is tried first.
    """
    pythons = dict.fromkeys(target.python_version for target in known_targets() if target.runtime.python >= _OLDEST)
    for python in pythons:
        question = Question(
            requirements=(requirement,),
            python=python,
            platform=None,
            dependencies=False,
            exclude_newer=exclude_newer,
            offline=offline,
            prereleases=True,
        )
        done = ask(question, settings)
        if done.ok:
            return [wheel for package in tomllib.loads(done.stdout)["packages"] for wheel in package.get("wheels", ())]
        if python_needed(done.stderr) is None:
            break
    return []


def targets_with(wheels: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the identifiers of the targets on which one of the wheels runs."""
    tags = [file_tags(wheel) for wheel in wheels]
    return tuple(target.identifier for target in known_targets() if any(target.rank(each) is not None for each in tags))


def file_tags(wheel: Mapping[str, Any]) -> str:
    """Return the last three parts of a wheel's name."""
    name = wheel.get("name") or unquote(urlsplit(wheel.get("url") or wheel.get("path") or "").path).rsplit("/", 1)[-1]
    return "-".join(str(name).removesuffix(".whl").split("-")[-3:])
