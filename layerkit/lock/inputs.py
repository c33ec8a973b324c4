"""What a lock is made from, as a value, and its description that goes into the lock.

Nothing heavy is imported here: whether a lock is current is found out on every build.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from layerkit.index import Credentials, IndexSettings
from layerkit.model.names import normalize
from layerkit.model.universal import LockTarget, UniversalTarget

_USERINFO: Final = re.compile(r"(?<=://)[^/\s?#]*@")
_URL: Final = re.compile(r"[a-z][a-z0-9+.-]*://[^\s;'\"<>]+", re.IGNORECASE)
RESOLVER_UV: Final = "uv"


@dataclass(frozen=True, kw_only=True, slots=True)
class LockRequest:
    """What is to be locked, and who resolves it. It says nothing about who builds the wheels.

    ``requirements`` are PEP 508 lines as written, with whatever passwords their URLs hold. ``hashes`` maps
    ``name==version`` (or ``name`` for a direct reference) to the allowed ``algorithm:hex``; if there are any, every
    locked package must have some, as for pip. ``exclude_newer`` is a date or time in RFC 3339's form. ``resolver`` is
    ``RESOLVER_UV``, or what ``resolver_in`` returns: a lock depends on whose interpreter resolved it. ``only_binary``
    names what must not be built, ``no_build`` says so of everything.
    """

    requirements: tuple[str, ...] = field(repr=False)
    constraints: tuple[str, ...] = field(default=(), repr=False)
    hashes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    exclusions: tuple[str, ...] = ()
    exclude_newer: str | None = None
    no_binary: tuple[str, ...] = ()
    only_binary: tuple[str, ...] = ()
    no_build: bool = False
    prereleases: bool = False
    resolver: str = RESOLVER_UV

    def must_be_wheel(self, name: str) -> bool:
        """Tell whether the distribution must not be built."""
        return self.no_build or normalize(name) in map(normalize, self.only_binary)


def resolver_in(place: str) -> str:
    """Return the ``resolver`` for pip-compile in a place (an image's digest, ``python 3.12.1`` of this machine)."""
    return f"pip-compile {place}"


def inputs_of(request: LockRequest, target: LockTarget, settings: IndexSettings) -> dict[str, Any]:
    """Describe everything that shapes a lock, without secrets, in values that TOML and JSON know.

    What is empty is left out. Settings of the machine (a mirror, a proxy) do not count.
    """
    described = {
        "requirements": _lines(request.requirements),
        "constraints": _lines(request.constraints),
        "hashes": {name: sorted(allowed) for name, allowed in request.hashes.items()},
        **_described(target),
        "exclude": sorted({normalize(name) for name in request.exclusions}),
        "index": _portable(settings.project),
        "exclude-newer": request.exclude_newer,
        "no-binary": sorted({normalize(name) for name in request.no_binary}),
        "only-binary": sorted({normalize(name) for name in request.only_binary}),
        "no-build": request.no_build,
        "prereleases": request.prereleases,
        "resolver": None if request.resolver == RESOLVER_UV else request.resolver,
    }
    return {key: value for key, value in described.items() if value or key == "requirements"}


def _described(target: LockTarget) -> dict[str, Any]:
    if isinstance(target, UniversalTarget):
        return {
            "target": target.identifier,
            "targets": [python.identifier for python in target.pythons],
            "python": list(dict.fromkeys(python.python_full_version for python in target.pythons)),
        }
    return {"target": target.identifier, "python": target.python_full_version, "platform": target.uv_platform}


def without_credentials(text: str) -> str:
    """Return ``text`` with ``user:password@`` taken out of every URL in it."""
    return _USERINFO.sub("", text)


def credentials_in(lines: Iterable[str]) -> dict[str, Credentials]:
    """Return the credentials that URLs in requirements carry, by host (and port); whoever fetches needs them."""
    found = {}
    for line in lines:
        for match in _URL.finditer(line):
            parts = urlsplit(match.group())
            if parts.username is not None:
                credentials = Credentials(username=unquote(parts.username), password=unquote(parts.password or ""))
                found[parts.netloc.rpartition("@")[2]] = credentials
    return found


def _portable(project: Mapping[str, Any]) -> dict[str, Any]:
    """Return the project's index settings with folders by their last name: where they lie differs between machines."""
    links = [link if "://" in link else PurePath(link).name for link in project.get("find-links", ())]
    return {**project, "find-links": links} if links else dict(project)


def _lines(lines: Iterable[str]) -> list[str]:
    return sorted({without_credentials(" ".join(line.split())) for line in lines})
