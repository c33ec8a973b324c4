"""The options that commands share: one name, one help text, one environment variable each."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from layerkit.cache import Cache
from layerkit.cli.console import Console

Quiet: TypeAlias = Annotated[bool, typer.Option("--quiet", "-q", envvar="LAYERKIT_QUIET", help="Say only errors.")]
Verbose: TypeAlias = Annotated[
    bool, typer.Option("--verbose", "-v", envvar="LAYERKIT_VERBOSE", help="Say more about what is done.")
]
Json: TypeAlias = Annotated[
    bool, typer.Option("--json", envvar="LAYERKIT_JSON", help="Print the result as JSON, sizes in exact bytes.")
]
CacheDir: TypeAlias = Annotated[
    Path | None,
    typer.Option("--cache-dir", envvar="LAYERKIT_CACHE_DIR", help="Cache folder.", show_default="the platform's own"),
]
Jobs: TypeAlias = Annotated[
    int | None,
    typer.Option("--jobs", "-j", min=1, envvar="LAYERKIT_JOBS", help="Parallel workers.", show_default="processors"),
]
RequirementFiles: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option(
        "--requirements",
        "-r",
        envvar="LAYERKIT_REQUIREMENTS",
        help="A requirements.txt, pyproject.toml, pylock.toml, uv.lock or poetry.lock.",
    ),
]
Groups: TypeAlias = Annotated[
    list[str] | None, typer.Option("--group", envvar="LAYERKIT_GROUP", help="A dependency group of the pyproject.toml.")
]
Extras: TypeAlias = Annotated[
    list[str] | None, typer.Option("--extra", envvar="LAYERKIT_EXTRA", help="An extra of the pyproject.toml.")
]
Name: TypeAlias = Annotated[
    str | None,
    typer.Option("--name", envvar="LAYERKIT_NAME", help="Layer name.", show_default="the first requirement's name"),
]
Runtimes: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--runtime", envvar="LAYERKIT_RUNTIME", help="Lambda runtime.", show_default="the newest Python"),
]
Architectures: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--arch", envvar="LAYERKIT_ARCH", help="x86_64 or arm64.", show_default="x86_64"),
]
LockDir: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--lock-dir", envvar="LAYERKIT_LOCK_DIR", help="Where locks are kept.", show_default="beside the recipe"
    ),
]
Locked: TypeAlias = Annotated[
    bool, typer.Option("--locked", envvar="LAYERKIT_LOCKED", help="Never resolve: fail unless the lock is current.")
]
Upgrade: TypeAlias = Annotated[
    bool, typer.Option("--upgrade", "-U", envvar="LAYERKIT_UPGRADE", help="Resolve anew, to the newest versions.")
]
UpgradePackages: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--upgrade-package", "-P", envvar="LAYERKIT_UPGRADE_PACKAGE", help="Upgrade only this distribution."),
]
Offline: TypeAlias = Annotated[
    bool, typer.Option("--offline", envvar="LAYERKIT_OFFLINE", help="Use no network, only what is cached.")
]
IndexUrl: TypeAlias = Annotated[
    str | None, typer.Option("--index-url", "-i", envvar="LAYERKIT_INDEX_URL", help="Package index (PEP 503).")
]
ExtraIndexUrls: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--extra-index-url", envvar="LAYERKIT_EXTRA_INDEX_URL", help="A further index, which goes first."),
]
FindLinks: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--find-links", "-f", envvar="LAYERKIT_FIND_LINKS", help="A folder or page of wheels."),
]
NoIndex: TypeAlias = Annotated[
    bool, typer.Option("--no-index", envvar="LAYERKIT_NO_INDEX", help="Use only --find-links.")
]
IndexStrategy: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--index-strategy",
        envvar="LAYERKIT_INDEX_STRATEGY",
        help="first-index or unsafe-best-match.",
        show_default=False,
    ),
]
CaBundle: TypeAlias = Annotated[
    Path | None, typer.Option("--ca-bundle", envvar="LAYERKIT_CA_BUNDLE", help="Certificates to trust (PEM).")
]
Proxy: TypeAlias = Annotated[str | None, typer.Option("--proxy", envvar="LAYERKIT_PROXY", help="Proxy for the index.")]
Keyring: TypeAlias = Annotated[
    bool | None,
    typer.Option("--keyring/--no-keyring", envvar="LAYERKIT_KEYRING", help="Ask the keyring for passwords."),
]
ExcludeNewer: TypeAlias = Annotated[
    str | None,
    typer.Option("--exclude-newer", envvar="LAYERKIT_EXCLUDE_NEWER", help="Ignore files uploaded after this date."),
]
NoBinary: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--no-binary", envvar="LAYERKIT_NO_BINARY", help="Build this distribution from its sdist."),
]
NoBuild: TypeAlias = Annotated[
    bool, typer.Option("--no-build", envvar="LAYERKIT_NO_BUILD", help="Never build anything, only take wheels.")
]
Exclude: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--exclude", envvar="LAYERKIT_EXCLUDE", help="Leave out this distribution and what only it needs."),
]


def console_of(*, quiet: bool, verbose: bool) -> Console:
    """Return the console for the two options."""
    return Console(verbosity=int(verbose) - int(quiet))


def cache_of(folder: Path | None) -> Cache:
    """Return the cache for ``--cache-dir``."""
    return Cache(folder) if folder is not None else Cache.default()
