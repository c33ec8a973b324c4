"""Makes layers as an audit holds them: from paths, with the distributions whose dist-info is there."""

import re
import stat
import zlib
from collections.abc import Iterable, Mapping

from layerkit.formats.elf import BinaryFacts
from layerkit.model.contents import Contents, HeldDistribution, HeldFile, Insides, Kind

MIB = 2**20
_METADATA = re.compile(r"(?:(?P<root>.*)/)?(?P<name>[^/-]+)-(?P<version>[^/-]+)\.dist-info/METADATA")


def holding(
    *paths: str,
    sizes: Mapping[str, int] = {},
    tags: Mapping[str, tuple[str, ...]] = {},
    requires: Mapping[str, tuple[str, ...]] = {},
    links: Mapping[str, str] = {},
    insides: Insides | None = Insides(),  # noqa: B008 -- frozen
    owned: bool = True,
    where: str = "layer.zip",
    runtimes: tuple[str, ...] = (),
    architectures: tuple[str, ...] = (),
) -> Contents:
    """Return a layer with files of 100 bytes, or of what ``sizes`` says, which also names files.

    A distribution owns (unless ``owned`` is off) its dist-info and the package or module of its name beside it.
    Equal names have equal content.
    """
    every = list(dict.fromkeys([*paths, *sizes, *links]))
    distributions = tuple(_distributions(every, tags, requires))
    owners = _owners(every, distributions) if owned else {}
    files = tuple(
        HeldFile(
            path=path,
            unzipped_bytes=sizes.get(path, 100),
            zipped_bytes=sizes.get(path, 100) // 2,
            crc32=zlib.crc32(path.rpartition("/")[2].encode()),
            mode=(stat.S_IFLNK if path in links else stat.S_IFREG) | 0o644,
            kind=Kind.of(path),
            owner=owners.get(path),
        )
        for path in every
    )
    return Contents(
        where=where,
        zipped_bytes=sum(file.zipped_bytes for file in files),
        unzipped_bytes=sum(file.unzipped_bytes for file in files),
        files=files,
        distributions=distributions,
        insides=insides,
        runtimes=runtimes,
        architectures=architectures,
    )


def installed(root: str, *names: str, version: str = "1.0", python: str | None = None) -> list[str]:
    """Return what an installer leaves in ``root`` of some packages; with the bytecode of a ``python`` as ``311``."""
    start = f"{root}/" if root else ""
    paths = []
    for name in names:
        paths += [f"{start}{name}/__init__.py", f"{start}{name}/core.py", f"{start}{name}/data.json"]
        paths += [f"{start}{name}-{version}.dist-info/{file}" for file in ("METADATA", "WHEEL", "RECORD", "INSTALLER")]
        if python:
            paths += [f"{start}{name}/__pycache__/{module}.cpython-{python}.pyc" for module in ("__init__", "core")]
    return paths


def elf(machine: str = "x86_64") -> BinaryFacts:
    """Return a shared library's facts."""
    return BinaryFacts(machine=machine, bits=64, type="dyn", soname=None, needed=(), search_path=(), versions=())


def _distributions(
    paths: Iterable[str], tags: Mapping[str, tuple[str, ...]], requires: Mapping[str, tuple[str, ...]]
) -> Iterable[HeldDistribution]:
    for path in paths:
        if match := _METADATA.fullmatch(path):
            name = match["name"].lower().replace("_", "-")
            yield HeldDistribution(
                name=name,
                version=match["version"],
                folder=path.removesuffix("/METADATA"),
                tags=tags.get(name, ("py3-none-any",)),
                requires=requires.get(name, ()),
            )


def _owners(paths: Iterable[str], distributions: Iterable[HeldDistribution]) -> dict[str, str]:
    owners = {}
    for each in distributions:
        start = f"{each.root}/" if each.root else ""
        package = f"{start}{each.name.replace('-', '_')}"
        for path in paths:
            if path.startswith((f"{package}/", f"{each.folder}/")) or path == f"{package}.py":
                owners[path] = each.name
    return owners
