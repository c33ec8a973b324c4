"""Needed libraries: is each found, in the stack or in the runtime, and is it the one that was meant."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from layerkit.audit.layer_binary import LayerBinary, grouped, paths_of, place_of
from layerkit.audit.loader import Loader, own_folders
from layerkit.audit.weight import examples
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.target import Target

_OWN_LIBRARIES: Final = "/opt/lib"
_HELP: Final[Mapping[str, str]] = {
    "libGL.so.1": "Lambda has no display: `opencv-python-headless` in place of `opencv-python` needs none",
    "libpq.so.5": "`psycopg2-binary`, or `psycopg[binary]`, bring it along",
    "libSM.so.6": "Lambda has no display: look for a build without one, as `opencv-python-headless`",
    "libX11.so.6": "Lambda has no display: look for a build without one, as `opencv-python-headless`",
    "libodbc.so.2": "put unixODBC's libraries into `lib/` of the layer",
    "libmysqlclient.so.21": "`PyMySQL` needs no library; else put it into `lib/` of the layer",
}


def library_findings(binaries: Sequence[LayerBinary], target: Target, paths: Collection[str]) -> Iterator[Finding]:
    """Yield what is to be said about needed libraries; nothing for a system into which nobody has looked."""
    loader = Loader.of(binaries, target, paths)
    if loader is None:
        return
    missing = {binary: lacks for binary in binaries if (lacks := _lacking(binary, loader))}
    lost = {binary: gone for binary, lacks in missing.items() if (gone := _nowhere(lacks, loader))}
    broken = _broken(binaries, lost, loader)
    yield from _missing(lost, binaries, broken, target)
    yield from _unfindable(missing, loader)
    yield from _beaten(binaries, loader, target)


def _lacking(binary: LayerBinary, loader: Loader) -> tuple[str, ...]:
    return tuple(library for library in binary.facts.needed if loader.find(library, binary) is None)


def _nowhere(libraries: Sequence[str], loader: Loader) -> tuple[str, ...]:
    return tuple(library for library in libraries if library not in loader.elsewhere)


def _broken(
    binaries: Sequence[LayerBinary], lost: Mapping[LayerBinary, tuple[str, ...]], loader: Loader
) -> frozenset[str]:
    """Return the paths of binaries that cannot be loaded, because they or what they need lack a library."""
    broken = {binary.path for binary in lost}
    growing = bool(broken)
    while growing:
        growing = False
        for binary in binaries:
            if binary.path not in broken and any(loader.find(each, binary) in broken for each in binary.facts.needed):
                broken.add(binary.path)
                growing = True
    return frozenset(broken)


def _missing(
    lost: Mapping[LayerBinary, tuple[str, ...]],
    binaries: Sequence[LayerBinary],
    broken: frozenset[str],
    target: Target,
) -> Iterator[Finding]:
    for group in grouped(lost, lambda binary: (binary.label, binary.owner)):
        owner = group[0].owner
        libraries = list(dict.fromkeys(library for binary in group for library in lost[binary]))
        severity = _severity(owner, binaries, broken)
        them = "it" if len(libraries) == 1 else "them"
        rest = "" if severity is Severity.ERROR else "; it matters only if that part is used"
        yield Finding(
            code=Code.ELF_MISSING_LIBRARY,
            severity=severity,
            where=place_of(group),
            message=f"{owner} needs {examples(libraries)} for {examples([binary.name for binary in group])}, and"
            f" neither {target.runtime.name} on {target.architecture} nor the stack has {them}{rest}",
            hint=_help(libraries),
            paths=paths_of(group),
        )


def _severity(owner: str, binaries: Sequence[LayerBinary], broken: frozenset[str]) -> Severity:
    """Rate by how much of a distribution cannot be loaded: an optional module or two are a warning."""
    own = [binary for binary in binaries if binary.owner == owner]
    modules = [binary for binary in own if binary.is_module] or own
    useless = sum(binary.path in broken for binary in modules)
    return Severity.ERROR if useless * 2 >= len(modules) else Severity.WARNING


def _help(libraries: Sequence[str]) -> str:
    if any(library.startswith("libc.musl") or library == "libc.so" for library in libraries):
        return "it was built for Alpine (musllinux): take a manylinux wheel"
    known = (_HELP[library] for library in libraries if library in _HELP)
    listed = ", ".join(f'"{library}"' for library in libraries)
    return next(
        known,
        f"put what is missing into `lib/` of a layer: a recipe takes it from the image with `libraries = [{listed}]`",
    )


def _unfindable(missing: Mapping[LayerBinary, tuple[str, ...]], loader: Loader) -> Iterator[Finding]:
    """Libraries that the stack has, in a folder where the loader looks only after somebody loaded them before."""
    for group in grouped(missing, lambda binary: (binary.label, binary.owner)):
        lacking = (library for binary in group for library in missing[binary])
        libraries = {library: loader.elsewhere[library] for library in lacking if library in loader.elsewhere}
        if libraries:
            library, path = next(iter(libraries.items()))
            more = f" (and {len(libraries) - 1} more)" if len(libraries) > 1 else ""
            yield Finding(
                code=Code.ELF_MISSING_LIBRARY,
                severity=Severity.NOTE,
                where=group[0].label or group[0].owner,
                message=f"{group[0].owner} needs `{library}`{more}, which lies at `{path}`, where the loader does not"
                " look: it works only if something loads it beforehand",
                paths=paths_of(group),
            )


def _beaten(binaries: Sequence[LayerBinary], loader: Loader, target: Target) -> Iterator[Finding]:
    """Libraries in ``/opt/lib``, which comes last in LD_LIBRARY_PATH, that the runtime has under the same name."""
    for binary in binaries:
        folder, _, name = binary.path.rpartition("/")
        if folder != _OWN_LIBRARIES or name not in loader.system:
            continue
        users = [each for each in binaries if name in each.facts.needed and _OWN_LIBRARIES not in own_folders(each)]
        if users:
            yield Finding(
                code=Code.STACK_SYSTEM_LIBRARY,
                severity=Severity.WARNING,
                where=place_of([binary]),
                message=f"{target.runtime.name} has its own `{name}`, and `/opt/lib` comes last: that is loaded"
                f" for {examples([each.name for each in users])}",
                hint="leave it out, or give the binaries a search path (`patchelf --set-rpath '$ORIGIN/…'`)",
            )
