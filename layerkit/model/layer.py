"""A layer that was built, and its manifest: no time, no absolute path, no user in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from layerkit.model.finding import Finding

MANIFEST_VERSION: Final = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerDistribution:
    """What one distribution takes in a layer; all sizes are unzipped bytes."""

    name: str
    version: str
    wheel: str
    unzipped_bytes: int
    pruned_bytes: int
    stripped_bytes: int
    built_from: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the JSON shape; ``built_from`` only where the wheel was built from an sdist."""
        shape: dict[str, Any] = {
            "name": self.name,
            "version": self.version,
            "wheel": self.wheel,
            "unzipped_bytes": self.unzipped_bytes,
            "pruned_bytes": self.pruned_bytes,
            "stripped_bytes": self.stripped_bytes,
        }
        return shape if self.built_from is None else {**shape, "built_from": dict(self.built_from)}


@dataclass(frozen=True, kw_only=True, slots=True)
class PrunedBy:
    """What one rule of pruning took from a layer."""

    rule: str
    reason: str
    files: int
    bytes: int

    def to_json(self) -> dict[str, Any]:
        """Return the JSON shape."""
        return {"rule": self.rule, "reason": self.reason, "files": self.files, "bytes": self.bytes}


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """A layer on disk: ``path`` is the zip, ``manifest_path`` the manifest beside it. Sizes in bytes."""

    name: str
    path: Path
    manifest_path: Path
    description: str
    license: str
    sha256: str
    code_sha256: str
    content_digest: str
    compatible_runtimes: tuple[str, ...]
    compatible_architectures: tuple[str, ...]
    zipped_bytes: int
    unzipped_bytes: int
    files: int
    builder: str
    image: str | None
    lock_sha256: str | None
    distributions: tuple[LayerDistribution, ...]
    pruned: tuple[PrunedBy, ...]
    findings: tuple[Finding, ...]

    def to_json(self, *, path: str) -> dict[str, Any]:
        """Return the layer's JSON shape; ``path`` is the zip as the reader is to find it."""
        return {
            "name": self.name,
            "path": path,
            "description": self.description,
            "license": self.license,
            "sha256": self.sha256,
            "code_sha256": self.code_sha256,
            "compatible_runtimes": list(self.compatible_runtimes),
            "compatible_architectures": list(self.compatible_architectures),
            "zipped_bytes": self.zipped_bytes,
            "unzipped_bytes": self.unzipped_bytes,
            "files": self.files,
            "content_digest": self.content_digest,
            "builder": self.builder,
            "image": self.image,
            "lock_sha256": self.lock_sha256,
            "distributions": [distribution.to_json() for distribution in self.distributions],
            "pruned": [pruned.to_json() for pruned in self.pruned],
            "findings": [finding.to_json() for finding in self.findings],
        }

    def manifest(self) -> dict[str, Any]:
        """Return the manifest; the zip's path in it is relative to the manifest, which lies beside it."""
        return {"version": MANIFEST_VERSION, "layers": [self.to_json(path=self.path.name)]}
