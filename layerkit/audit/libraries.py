"""Needed libraries: is each found, in the stack or in the runtime, and is it the one that was meant."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from layerkit.audit.layer_binary import LayerBinary, by_owner, grouped, paths_of, place_of, who
from layerkit.audit.loader import LATE_FOLDERS, Loader
from layerkit.audit.needs import Damage, Needs
from layerkit.audit.remedies import remedy_for, take_along
from layerkit.audit.weight import examples
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.target import Target

_Lacks = Mapping[LayerBinary, tuple[str, ...]]


def library_findings(binaries: Sequence[LayerBinary], target: Target, loader: Loader) -> Iterator[Finding]:
    """Yield what is to be said about needed libraries."""
    needs = Needs.of(binaries, loader)
    missing = {binary: lacks for binary in binaries if (lacks := needs.missing(binary))}
    nowhere = _only(missing, lambda name: name not in loader.elsewhere)
    off_path = _only(missing, lambda name: name in loader.elsewhere)
    for same in by_owner(nowhere):
        yield from _missing({binary: nowhere[binary] for binary in same}, needs, target)
    for same in by_owner(off_path):
        yield from _off_path({binary: off_path[binary] for binary in same}, loader)
    yield from _beaten(needs, loader, target)


def _only(missing: _Lacks, wanted: Callable[[str], bool]) -> _Lacks:
    chosen = {binary: tuple(filter(wanted, lacks)) for binary, lacks in missing.items()}
    return {binary: lacks for binary, lacks in chosen.items() if lacks}


def _missing(lost: _Lacks, needs: Needs, target: Target) -> Iterator[Finding]:
    """Yield a finding for each remedy: libraries that the same helps against are one thing to do."""
    by_remedy: dict[str | None, dict[LayerBinary, tuple[str, ...]]] = {}
    for binary, libraries in lost.items():
        for library in libraries:
            group = by_remedy.setdefault(remedy_for(library, binary, target), {})
            group[binary] = (*group.get(binary, ()), library)
    for remedy, group in by_remedy.items():
        names = _names(group)
        damage = needs.damage(group)
        yield Finding(
            code=Code.ELF_MISSING_LIBRARY,
            severity=damage.severity,
            where=place_of(list(group)),
            message=f"{_who_needs(group)}, and neither {target.runtime.name} on {target.architecture} nor the stack has"
            f" {'it' if len(names) == 1 else 'them'}{_consequence(group, damage)}",
            hint=remedy or take_along(names),
            paths=paths_of(list(group)),
        )


def _names(group: _Lacks) -> list[str]:
    return list(dict.fromkeys(library for libraries in group.values() for library in libraries))


def _who_needs(group: _Lacks) -> str:
    """Say it of the distribution and its files, modules first; of the astray once is enough."""
    binaries = sorted(group, key=lambda binary: not binary.is_module)
    files = "" if binaries[0].is_astray else f" for {examples([each.name for each in binaries])}"
    return f"{who(binaries, 'needs')} {examples(_names(group))}{files}"


def _consequence(group: _Lacks, damage: Damage) -> str:
    if damage.severity is Severity.WARNING:
        return "; it matters only if that part is used"
    if damage.lost == damage.entries:
        return "" if len(group) == damage.entries else f": nothing of {damage.owner} can be loaded"
    return f": {damage.lost} of {damage.entries} {damage.what} of {damage.owner} cannot be loaded"


def _off_path(group: _Lacks, loader: Loader) -> Iterator[Finding]:
    """Yield libraries that the stack has, in a folder where the loader looks only after somebody loaded them before.

    A package may see to that with its own libraries, or with another's; nobody does with one that lies in no package.
    """
    places = {name: loader.elsewhere[name] for name in _names(group)}
    for astray in (False, True):
        names = sorted(name for name, binary in places.items() if binary.is_astray is astray)
        users = [binary for binary, lacks in group.items() if not {*names}.isdisjoint(lacks)]
        if users:
            yield _off_path_finding(users, names, places[names[0]], astray=astray)


def _off_path_finding(
    users: Sequence[LayerBinary], names: Sequence[str], place: LayerBinary, *, astray: bool
) -> Finding:
    more = f" (and {len(names) - 1} more)" if len(names) > 1 else ""
    return Finding(
        code=Code.ELF_MISSING_LIBRARY,
        severity=Severity.WARNING if astray else Severity.NOTE,
        where=place_of(users),
        message=f"{who(users, 'needs')} `{names[0]}`{more}, which lies at `{place.path}`, where the loader does not"
        " look: it works only if something loads it beforehand",
        hint="put it into `lib/` of the layer, where the loader does look" if astray else None,
        paths=paths_of(users),
    )


def _beaten(needs: Needs, loader: Loader, target: Target) -> Iterator[Finding]:
    """Yield libraries in folders that come last in LD_LIBRARY_PATH which the runtime has under the same name.

    Where every binary that needs one finds it on a search path of its own, it is used after all.
    """
    used: dict[LayerBinary, list[LayerBinary]] = {}
    idle: dict[LayerBinary, list[LayerBinary]] = {}
    for library in needs.binaries:
        name = _beaten_name(library, loader)
        if name is None:
            continue
        misled = list(needs.users.get(name, ()))
        if misled:
            used[library] = misled
        elif library.path not in needs.users:
            idle[library] = []
    for groups in (used, idle):
        for group in grouped(groups, lambda binary: binary.label):
            yield _beaten_finding(group, [user for library in group for user in groups[library]], target)


def _beaten_name(library: LayerBinary, loader: Loader) -> str | None:
    folder = library.path.rpartition("/")[0]
    if folder not in LATE_FOLDERS:
        return None
    names = (library.facts.soname or library.file_name, library.file_name)
    return next((name for name in names if loader.beaten(name) == library.path), None)


def _beaten_finding(group: Sequence[LayerBinary], users: Sequence[LayerBinary], target: Target) -> Finding:
    names = examples([library.facts.soname or library.file_name for library in group])
    folder = group[0].path.rpartition("/")[0]
    them = "that is" if len(group) == 1 else "those are"
    loaded = f"{them} loaded for {examples([*dict.fromkeys(user.name for user in users)])}" if users else f"{them} used"
    return Finding(
        code=Code.STACK_SYSTEM_LIBRARY,
        severity=Severity.WARNING if users else Severity.NOTE,
        where=place_of(group),
        message=f"{target.runtime.name} has its own {names}, and `{folder}` comes last in LD_LIBRARY_PATH: {loaded}",
        hint="leave it out, or give the binaries a search path (`patchelf --force-rpath --set-rpath '$ORIGIN/…'`)",
        paths=paths_of(group),
    )
