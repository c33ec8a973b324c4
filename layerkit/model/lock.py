"""The lock of one target: a PEP 751 file as a value.

A layerkit lock names exactly one file for each distribution. Reading a lock that layerkit wrote needs only
``tomllib``, so that a warm build stays fast; locks of other tools go through ``packaging.pylock`` (lock/foreign.py).
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

LOCK_VERSION: Final = "1.0"
CREATED_BY: Final = "layerkit"
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class LockedFile:
    """One file that is to be fetched: a wheel or an sdist.

    ``url`` carries no credentials; ``path`` is relative to the lock's folder (``--find-links`` files). One of the two
    is given. ``size`` is in bytes where the index tells it; ``sha256`` is lower-case hex.
    """

    name: str
    url: str | None
    path: str | None
    size: int | None
    sha256: str

    @property
    def is_wheel(self) -> bool:
        """Whether the file is a wheel (PEP 427) rather than an sdist."""
        return self.name.endswith(".whl")


@dataclass(frozen=True, kw_only=True, slots=True)
class LockedPackage:
    """A distribution at an exact version, and the one file it comes from. ``name`` is normalised (PEP 503)."""

    name: str
    version: str
    file: LockedFile


@dataclass(frozen=True, kw_only=True, slots=True)
class Lock:
    """Everything one target's layer is made from, in order of name.

    ``target`` is an identifier such as ``python3.12-x86_64``. ``inputs`` maps each thing that shaped the lock
    (requirements, exclusions, index, …) to its value; its digest says whether the lock is still current.
    """

    target: str
    requires_python: str
    inputs: Mapping[str, Any]
    packages: tuple[LockedPackage, ...]

    @property
    def inputs_digest(self) -> str:
        """The digest of everything that shaped this lock."""
        return digest_of_inputs(self.inputs)

    def to_toml(self) -> str:
        """Render the lock as PEP 751 asks, the same text for the same lock."""
        lines = [
            "# Written by layerkit; `layerkit lock` refreshes it",
            f"lock-version = {_string(LOCK_VERSION)}",
            f"created-by = {_string(CREATED_BY)}",
            f"requires-python = {_string(self.requires_python)}",
        ]
        lines += [] if self.packages else ["packages = []"]  # PEP 751 wants the key even so
        for package in sorted(self.packages, key=lambda package: package.name):
            lines += ["", "[[packages]]", f"name = {_string(package.name)}", f"version = {_string(package.version)}"]
            table = _file_table(package.file)
            lines.append(f"wheels = [{table}]" if package.file.is_wheel else f"sdist = {table}")
        lines += [
            "",
            "[tool.layerkit]",
            f"target = {_string(self.target)}",
            f"inputs-digest = {_string(self.inputs_digest)}",
        ]
        lines += ["", "[tool.layerkit.inputs]"]
        lines += [f"{_key(key)} = {_value(value)}" for key, value in sorted(self.inputs.items())]
        return "\n".join(lines) + "\n"

    @classmethod
    def from_toml(cls, text: str) -> "Lock":
        """Read a lock that layerkit wrote.

        Raises ``ValueError`` (also as ``tomllib.TOMLDecodeError``) if it is not one; the caller knows the path.
        """
        data = tomllib.loads(text)
        try:
            own = data["tool"]["layerkit"]
            lock = cls(
                target=own["target"],
                requires_python=data["requires-python"],
                inputs=own["inputs"],
                packages=tuple(_package(entry) for entry in data.get("packages", [])),
            )
            if lock.inputs_digest != own["inputs-digest"]:
                raise ValueError("its inputs were edited by hand")
        except (KeyError, IndexError, TypeError, AttributeError) as exc:
            raise ValueError(f"not a lock that layerkit wrote ({exc!r})") from exc
        return lock


def digest_of_inputs(inputs: Mapping[str, Any]) -> str:
    """Return ``sha256:<hex>`` over the canonical JSON of ``inputs``."""
    canonical = json.dumps(inputs, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()


def _package(entry: Mapping[str, Any]) -> LockedPackage:
    table = entry["wheels"][0] if "wheels" in entry else entry["sdist"]
    file = LockedFile(
        name=table["name"],
        url=table.get("url"),
        path=table.get("path"),
        size=table.get("size"),
        sha256=table["hashes"]["sha256"],
    )
    return LockedPackage(name=entry["name"], version=entry["version"], file=file)


def _file_table(file: LockedFile) -> str:
    parts = [f"name = {_string(file.name)}"]
    parts += [f"url = {_string(file.url)}"] if file.url else []
    parts += [f"path = {_string(file.path)}"] if file.path else []
    parts += [f"size = {file.size}"] if file.size is not None else []
    return "{ " + ", ".join([*parts, f"hashes = {{ sha256 = {_string(file.sha256)} }}"]) + " }"


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")  # a TOML basic string is a JSON string


def _key(text: str) -> str:
    return text if _BARE_KEY.fullmatch(text) else _string(text)


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _string(value)
        case int():
            return str(value)
        case [*items]:
            return "[" + ", ".join(_value(item) for item in items) + "]"
        case {**table}:
            return "{ " + ", ".join(f"{_key(str(key))} = {_value(item)}" for key, item in sorted(table.items())) + " }"
        case _:
            raise TypeError(f"no TOML for {value!r}")
