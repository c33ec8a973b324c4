"""The parts of a recipe as values; paths are relative to the recipe's folder, as written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from layerkit.facts import Architecture


class Builder(StrEnum):
    """How wheels come to be."""

    AUTO = "auto"  # the first of the others that can do the job, per package
    WHEELS = "wheels"
    LOCAL = "local"
    CONTAINER = "container"


class Compression(StrEnum):
    """What happens to the bytes that wheels bring compressed."""

    COPY = "copy"
    BEST = "best"


class Layout(StrEnum):
    """Where packages lie in the layer: for every Python, or for one."""

    PYTHON = "python"
    SITE_PACKAGES = "site-packages"


class PruneProfile(StrEnum):
    """Which rules say what cannot matter at run time."""

    STANDARD = "standard"
    NONE = "none"


class IndexStrategy(StrEnum):
    """Which index a name is taken from when several have it."""

    FIRST_INDEX = "first-index"
    UNSAFE_BEST_MATCH = "unsafe-best-match"


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """What the layer is called and made of.

    No ``runtimes`` means the newest Python runtime, no ``architectures`` x86_64. ``exclude`` holds normalised names.
    """

    name: str
    description: str = ""
    license: str = ""
    requirements: tuple[str, ...] = ()
    requirements_file: str | None = None
    runtimes: tuple[str, ...] = ()
    architectures: tuple[Architecture, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Build:
    """How the layer is built. ``no_binary`` holds normalised names; ``env`` is for containers."""

    builder: Builder = Builder.AUTO
    images: Mapping[Architecture, str] = field(default_factory=dict)
    system_packages: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    no_binary: tuple[str, ...] = ()
    bytecode: bool = False
    compress: Compression = Compression.COPY
    strip: bool = True
    layout: Layout = Layout.PYTHON
    universal: bool = False
    env: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Prune:
    """What is left out of the layer, by glob; ``drop`` also as ``DIST:GLOB``."""

    profile: PruneProfile = PruneProfile.STANDARD
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    botocore_services: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class RecipeFile:
    """A file that the layer holds besides its distributions; ``target`` is relative to ``/opt``."""

    source: str
    target: str
    executable: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """The most bytes that the layer may take; ``None`` where only Lambda's limits count."""

    unzipped: int | None = None
    zipped: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """A function that proves the layer, and modules that must import. Paths are relative to the recipe's folder.

    ``answer`` is a file with the JSON value that it must answer; ``services`` a program that stands for what it speaks
    to, ``after`` a file with what that must have seen. ``layers`` are the folders of the recipes whose layers it has,
    in order. ``timeout`` is in seconds, ``memory`` in MiB.
    """

    name: str = ""
    handler: str | None = None
    code: str | None = None
    event: str | None = None
    answer: str | None = None
    services: str | None = None
    after: str | None = None
    layers: tuple[str, ...] = (".",)
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: int | None = None
    memory: int | None = None
    imports: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class RecipeIndex:
    """What the recipe says about package indexes; ``None`` and empty mean nothing. URLs keep their ``${VAR}``."""

    url: str | None = field(default=None, repr=False)
    extra_urls: tuple[str, ...] = field(default=(), repr=False)
    find_links: tuple[str, ...] = field(default=(), repr=False)
    no_index: bool | None = None
    strategy: IndexStrategy | None = None
    ca_bundle: str | None = None
    proxy: str | None = field(default=None, repr=False)
    keyring: bool | None = None
