"""A layer version in AWS as a zip on this machine: fetched once, verified, kept by its content.

Versions never change, so what is known of one stays true; Lambda is asked all the same whether it may still be read.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from layerkit.cache import Cache
from layerkit.errors import FetchError
from layerkit.invoke.merge import sha256_of
from layerkit.model.arn import LayerVersionArn
from layerkit.progress import Progress

if TYPE_CHECKING:
    from layerkit.aws.layer_zip import Origin

_ZIPS: Final = "layers"
_VERSIONS: Final = "layer-versions"
_FORM: Final = "1"  # of what is in the cache


class VersionNotCached(FetchError):
    """A layer version that would have to be downloaded, but ``--offline`` forbids it."""

    def __init__(self, *, arn: str) -> None:
        super().__init__(
            f"layer version `{arn}` is not in the cache, and `--offline` forbids downloading",
            hint="run once without `--offline`",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionZip:
    """The zip of a version, its SHA-256 (hex), and the runtimes that it was published for."""

    path: Path
    sha256: str
    runtimes: tuple[str, ...]


def fetch_version(arn: LayerVersionArn, *, cache: Cache, progress: Progress, offline: bool) -> VersionZip:
    """Return a version's zip, downloaded unless it is in the cache.

    Raises ``VersionNotCached``, ``AwsError`` subclasses, what ``download`` raises, and ``DiskFailure``.
    """
    if offline:
        return _recalled(arn, cache)
    from layerkit.aws.access import Access
    from layerkit.aws.layer_zip import Origin
    from layerkit.aws.layers import LayerApi
    from layerkit.aws.sessions import open_session

    origin = Origin.find(arn, LayerApi(open_session(Access(region=arn.region)), arn.region))
    sha256 = origin.sha256
    if _verified(cache, sha256) is None:
        _download(origin, sha256, cache=cache, progress=progress)
    with cache.store(_VERSIONS, _key(arn)) as stream:
        stream.write(json.dumps({"sha256": sha256, "runtimes": origin.version.runtimes}).encode())
    return VersionZip(path=cache.path(_ZIPS, sha256), sha256=sha256, runtimes=origin.version.runtimes)


def _recalled(arn: LayerVersionArn, cache: Cache) -> VersionZip:
    try:
        known = json.loads(cache.path(_VERSIONS, _key(arn)).read_bytes())
        sha256, runtimes = str(known["sha256"]), tuple(map(str, known["runtimes"]))
    except (OSError, ValueError, LookupError, TypeError) as exc:
        raise VersionNotCached(arn=str(arn)) from exc
    path = _verified(cache, sha256)
    if path is None:
        raise VersionNotCached(arn=str(arn))
    return VersionZip(path=path, sha256=sha256, runtimes=runtimes)


def _verified(cache: Cache, sha256: str) -> Path | None:
    """Return a zip of the cache that is what it should be; forget it if it is not."""
    path = cache.find(_ZIPS, sha256)
    if path is not None and sha256_of(path) != sha256:
        cache.discard(_ZIPS, sha256)
        return None
    return path


def _download(origin: "Origin", sha256: str, *, cache: Cache, progress: Progress) -> None:
    from layerkit.aws.layer_zip import download
    from layerkit.http_range import link_client

    with (
        link_client() as client,
        progress.task("Downloading", total=origin.version.code_size or None, unit="B") as task,
        cache.store(_ZIPS, sha256) as stream,
    ):
        download(origin, stream, client, advance=task.advance)


def _key(arn: LayerVersionArn) -> str:
    return hashlib.sha256(f"{_FORM} {arn}".encode()).hexdigest()
