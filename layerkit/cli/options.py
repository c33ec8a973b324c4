"""The options that commands share: one name, one help text, one environment variable each."""

from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import typer

from layerkit.cache import Cache
from layerkit.cli.console import Console
from layerkit.errors import UsageError


class TwoForms(UsageError):
    """One output in two forms."""

    def __init__(self) -> None:
        super().__init__("`--json` and `--markdown` exclude each other", hint="run it once for each")


def option(*flags: str, **settings: Any) -> Any:
    """Declare an option; ``LAYERKIT_`` and its long name in capitals is its environment variable."""
    long = next(flag for flag in flags if flag.startswith("--")).partition("/")[0]
    variable = "LAYERKIT_" + long.removeprefix("--").upper().replace("-", "_")
    return typer.Option(*flags, envvar=variable, show_envvar=False, **settings)


Quiet: TypeAlias = Annotated[bool, option("--quiet", "-q", help="Say only errors.")]
Verbose: TypeAlias = Annotated[bool, option("--verbose", "-v", help="Say more about what is done.")]
Json: TypeAlias = Annotated[bool, option("--json", help="Print the result as JSON, sizes in exact bytes.")]
CacheDir: TypeAlias = Annotated[
    Path | None,
    option("--cache-dir", help="Cache folder.", show_default="the platform's own"),
]
Jobs: TypeAlias = Annotated[
    int | None,
    option("--jobs", "-j", min=1, help="Parallel workers.", show_default="processors"),
]
RequirementFiles: TypeAlias = Annotated[
    list[Path] | None,
    option(
        "--requirements",
        "-r",
        help="A requirements.txt, pyproject.toml, pylock.toml, uv.lock or poetry.lock.",
    ),
]
Groups: TypeAlias = Annotated[list[str] | None, option("--group", help="A dependency group of the pyproject.toml.")]
Extras: TypeAlias = Annotated[list[str] | None, option("--extra", help="An extra of the pyproject.toml.")]
Name: TypeAlias = Annotated[
    str | None,
    option("--name", help="Layer name.", show_default="the first requirement's name"),
]
Runtimes: TypeAlias = Annotated[
    list[str] | None,
    option("--runtime", help="Lambda runtime.", show_default="the newest Python"),
]
Architectures: TypeAlias = Annotated[
    list[str] | None,
    option("--arch", help="x86_64 or arm64.", show_default="x86_64"),
]
LockDir: TypeAlias = Annotated[
    Path | None,
    option("--lock-dir", help="Where locks are kept.", show_default="beside the recipe"),
]
Locked: TypeAlias = Annotated[bool, option("--locked", help="Never resolve: fail unless the lock is current.")]
Upgrade: TypeAlias = Annotated[bool, option("--upgrade", "-U", help="Resolve anew, to the newest versions.")]
UpgradePackages: TypeAlias = Annotated[
    list[str] | None,
    option("--upgrade-package", "-P", help="Upgrade only this distribution."),
]
Offline: TypeAlias = Annotated[bool, option("--offline", help="Use no network, only what is cached.")]
IndexUrl: TypeAlias = Annotated[str | None, option("--index-url", "-i", help="Package index (PEP 503).")]
ExtraIndexUrls: TypeAlias = Annotated[
    list[str] | None,
    option("--extra-index-url", help="A further index, which goes first."),
]
FindLinks: TypeAlias = Annotated[
    list[str] | None,
    option("--find-links", "-f", help="A folder or page of wheels."),
]
NoIndex: TypeAlias = Annotated[bool, option("--no-index", help="Use only --find-links.")]
IndexStrategy: TypeAlias = Annotated[
    str | None,
    option(
        "--index-strategy",
        help="first-index or unsafe-best-match.",
        show_default=False,
    ),
]
CaBundle: TypeAlias = Annotated[Path | None, option("--ca-bundle", help="Certificates to trust (PEM).")]
Proxy: TypeAlias = Annotated[str | None, option("--proxy", help="Proxy for the index.")]
Keyring: TypeAlias = Annotated[
    bool | None,
    option("--keyring/--no-keyring", help="Ask the keyring for passwords."),
]
ExcludeNewer: TypeAlias = Annotated[
    str | None,
    option("--exclude-newer", help="Ignore files uploaded after this date."),
]
NoBinary: TypeAlias = Annotated[
    list[str] | None,
    option("--no-binary", help="Build this distribution from its sdist."),
]
NoBuild: TypeAlias = Annotated[bool, option("--no-build", help="Never build anything, only take wheels.")]
Exclude: TypeAlias = Annotated[
    list[str] | None,
    option("--exclude", help="Leave out this distribution and what only it needs."),
]

Universal: TypeAlias = Annotated[
    bool | None,
    option("--universal/--no-universal", help="Pure wheels only: one zip for every runtime and architecture."),
]

Builders: TypeAlias = Annotated[
    Literal["auto", "wheels", "local", "container"] | None,
    option("--builder", help="How wheels come to be.", show_default="auto"),
]
Image: TypeAlias = Annotated[
    str | None, option("--image", help="Build in this image.", show_default="the target's manylinux image")
]
Network: TypeAlias = Annotated[
    str | None, option("--network", help="Network of containers: host, none, or a name.", show_default="the engine's")
]
Platform: TypeAlias = Annotated[
    str | None, option("--platform", help="Platform of containers.", show_default="the target's, as linux/arm64")
]
SystemPackages: TypeAlias = Annotated[
    list[str] | None, option("--system-package", help="Install this system package before building.")
]
Environment: TypeAlias = Annotated[
    list[str] | None, option("--env", metavar="K=V", help="Environment variable of builds.")
]
BuildTimeout: TypeAlias = Annotated[
    float | None,
    option("--build-timeout", min=1, metavar="SECONDS", help="Give up on building a package after this long."),
]

Regions: TypeAlias = Annotated[
    list[str] | None, option("--region", help="AWS region.", show_default="the configuration's")
]
Region: TypeAlias = Annotated[str | None, option("--region", help="AWS region.", show_default="the profile's")]
Profile: TypeAlias = Annotated[
    str | None, option("--profile", help="AWS profile.", show_default="the environment's credentials")
]
Config: TypeAlias = Annotated[
    Path | None,
    option("--config", metavar="FILE", help="Configuration.", show_default="layerkit.toml, or pyproject.toml"),
]
LedgerFile: TypeAlias = Annotated[
    Path | None,
    option("--ledger", metavar="FILE", help="Where it is noted what was done.", show_default="the platform's own"),
]
Role: TypeAlias = Annotated[str | None, option("--role", metavar="ARN", help="Assume this role.")]


def console_of(*, quiet: bool, verbose: bool) -> Console:
    """Return the console for the two options."""
    return Console(verbosity=int(verbose) - int(quiet))


def cache_of(folder: Path | None) -> Cache:
    """Return the cache for ``--cache-dir``."""
    return Cache(folder) if folder is not None else Cache.default()


def refuse_two_forms(*, json: bool, markdown: bool) -> None:
    """Raise ``TwoForms`` where stdout would have to hold both."""
    if json and markdown:
        raise TwoForms
