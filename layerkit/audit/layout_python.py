"""Python in a layer where no interpreter looks: which of the classic mistakes it is, and how to mend it.

Source: https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html and the start-up code of Lambda's runtimes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from layerkit.audit.homes import Home, function_homes, layer_homes, without_junk
from layerkit.audit.weight import examples, place, weight
from layerkit.model.contents import Contents
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.limits import format_size
from layerkit.model.opt import LOOKED_AT

_HANDLER: Final = "lambda_function.py"
_COPY: Final = "python/lib64/"  # a link to lib in virtual environments; `zip -r` follows it
_ENVIRONMENT_NAMES: Final = frozenset({".venv", "venv", "env"})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Mistake:
    """Why something cannot be imported and what mends it; homes with equal mistakes are one finding.

    ``is_copy``: the same can be imported from elsewhere in the layer.
    """

    reason: str
    hint: str
    is_copy: bool = False


def layer_python_findings(layer: Contents, versions: Sequence[str | None]) -> Iterator[Finding]:
    """Yield what no Python of ``versions`` (``None``: any) can import from a layer, one finding for each mistake."""
    reach = _Reach(layer=layer, homes=layer_homes(layer), versions=tuple(versions))
    wrong: dict[_Mistake, list[Home]] = {}
    for home in reach.homes:
        if reach.misses(home):
            wrong.setdefault(_mistake(home, reach), []).append(home)
    for mistake, group in wrong.items():
        loose = group[0].folder == "" and not group[0].has_metadata
        yield _loose(mistake, group[0], layer) if loose else _unreachable(mistake, group, reach)


def function_python_findings(function: Contents) -> Iterator[Finding]:
    """Yield what lies in folders of a function's code from which nothing is imported unless the code sees to it."""
    homes = function_homes(function)
    at_top = any(home.folder == "" and home.has_metadata for home in homes)
    for home in homes:
        if home.folder == "" or (at_top and is_environment(home, function)):
            continue
        yield Finding(
            code=Code.LAYOUT_UNREACHABLE,
            severity=Severity.WARNING,
            where=f"{function.where}: {home.folder}",
            message=f"{examples(home.names(function))} cannot be imported: in a function's own code Lambda looks at the"
            f" top only, not in `{home.folder}/`",
            hint=f"put what is in `{home.folder}/` at the top, unless the code adds that folder to `sys.path`",
            paths=_paths([home]),
        )


def is_environment(home: Home, contents: Contents) -> bool:
    """Whether the folder belongs to a virtual environment that was swept along."""
    root = home.environment
    if root is None:
        return False
    marks = {f"{root}/pyvenv.cfg", f"{root}/bin/activate"} if root else {"pyvenv.cfg", "bin/activate"}
    return root.rpartition("/")[2] in _ENVIRONMENT_NAMES or any(file.path in marks for file in contents.files)


def is_self_driven(layer: Contents) -> bool:
    """Whether the layer brings a program that may look where it likes: an extension or a runtime."""
    return any(file.path == "bootstrap" or file.path.startswith("extensions/") for file in layer.files)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reach:
    """What of a layer the Pythons of some versions (``None``: any) see."""

    layer: Contents
    homes: tuple[Home, ...]
    versions: tuple[str | None, ...]

    @property
    def without(self) -> tuple[str, ...]:
        """The runtimes, in words, that see nothing of it."""
        unserved = (version for version in self.versions if not any(home.serves(version) for home in self.homes))
        return tuple(f"python{version}" if version else "Python" for version in unserved)

    @property
    def is_lost(self) -> bool:
        """Whether no runtime sees anything of it."""
        return len(self.without) == len(self.versions)

    def misses(self, home: Home) -> bool:
        """Whether a home is worth a word: out of reach, and not left there with a purpose."""
        if home.version is not None:
            return self._misses_version(home.version)
        if home.folder == "python":
            return False
        if is_self_driven(self.layer) and self._may_be_for_a_program(home):
            return False
        if home.folder.startswith(_COPY):
            return True
        return self.is_lost or not is_environment(home, self.layer)

    def _misses_version(self, version: str) -> bool:
        if self.without:
            return self.versions != (None,)
        for_several = f"python{version}" in self.layer.runtimes or any(
            home.version in self.versions for home in self.homes
        )
        return self.versions != (None,) and not for_several

    def _may_be_for_a_program(self, home: Home) -> bool:
        if home.folder == "":
            return not home.has_metadata
        return home.environment is not None or _known_shape(home, self) is None


def _unreachable(mistake: _Mistake, homes: Sequence[Home], reach: _Reach) -> Finding:
    versioned = homes[0].version is not None
    nothing = (bool(reach.without) if versioned else reach.is_lost) and not mistake.is_copy
    by = f" by {' and '.join(reach.without)}" if versioned else ""
    names = list(dict.fromkeys(name for home in homes for name in home.names(reach.layer)))
    said = f"nothing in this layer can be imported{by}" if nothing else f"{examples(names)} cannot be imported"
    certain = nothing and not (homes[0].folder == "" and is_self_driven(reach.layer))
    folder = homes[0].folder if len(homes) == 1 and not nothing else ""
    return Finding(
        code=Code.LAYOUT_UNREACHABLE,
        severity=Severity.ERROR if certain else Severity.WARNING,
        where=f"{reach.layer.where}: {folder}" if folder else reach.layer.where,
        message=mistake.reason if mistake.is_copy else f"{said}: {mistake.reason}",
        hint=mistake.hint,
        paths=_paths(homes),
    )


def _loose(mistake: _Mistake, home: Home, layer: Contents) -> Finding:
    """Return what is to be said about modules at the top that no installer put there: a program may open them."""
    tops = {file.path.split("/", 1)[0] for file in without_junk(layer)}
    alone = LOOKED_AT.isdisjoint(tops)
    return Finding(
        code=Code.LAYOUT_UNREACHABLE,
        severity=Severity.WARNING if alone else Severity.NOTE,
        where=place(layer, [file.path for file in home.files]),
        message=f"{examples(home.names(layer))} cannot be imported by name: {mistake.reason}",
        hint=mistake.hint,
        paths=_paths([home]),
    )


def _mistake(home: Home, reach: _Reach) -> _Mistake:
    shape = _known_shape(home, reach)
    if shape is not None:
        return shape
    if home.folder == "":
        return _at_the_top(reach.layer)
    if home.environment is not None and is_environment(home, reach.layer):
        inside = f"{home.environment}/lib/" if home.environment else "lib/"
        return _Mistake(
            reason=f"a virtual environment was zipped whole, and no runtime looks in `{inside}`",
            hint="put what is in its `site-packages` below `python/`, and leave the rest out",
        )
    return _Mistake(
        reason=f"no runtime looks in `{home.folder}/`", hint=f"put what is in `{home.folder}/` below `python/`"
    )


def _known_shape(home: Home, reach: _Reach) -> _Mistake | None:
    """Return the mistakes that are known by the folder's name."""
    first, _, rest = home.folder.partition("/")
    if home.version is not None:
        return _other_version(reach)
    if home.folder.startswith(_COPY):
        return _lib64(home, reach.layer)
    if first.casefold() == "python" and first != "python":
        return _Mistake(
            reason=f"Lambda looks in `python/`, and `{first}/` is another folder: upper and lower case differ there",
            hint=f"call the folder `python`, not `{first}`",
        )
    if rest != "python" and not rest.startswith("python/"):
        return None
    if first == "python":
        return _Mistake(
            reason="`python/` lies in another `python/`", hint="move what is in `python/python/` up into `python/`"
        )
    return _wrapped(first, reach.layer)


def _other_version(reach: _Reach) -> _Mistake:
    folders = [f"{home.folder}/" for home in reach.homes if home.version not in {None, *reach.versions}]
    return _Mistake(
        reason=f"what lies in {examples(folders)} is for that version of Python only",
        hint="build the layer for the function's runtime; packages without native code may also lie straight below"
        " `python/`, which every Python runtime looks at",
    )


def _wrapped(folder: str, layer: Contents) -> _Mistake | None:
    if not all(file.path.startswith(f"{folder}/") for file in without_junk(layer)):
        return None
    return _Mistake(
        reason=f"everything lies in the folder `{folder}/`",
        hint=f"zip what is in `{folder}/`, so that `python/` is at the top of the zip",
    )


def _at_the_top(layer: Contents) -> _Mistake:
    if any(file.path == _HANDLER for file in layer.files):
        return _Mistake(
            reason="the layer is laid out like a function's code, with packages and `lambda_function.py` at the top",
            hint="put packages below `python/`, and leave the handler to the function",
        )
    return _Mistake(
        reason="packages lie at the top, where no runtime looks",
        hint="put them below `python/`, as `pip install --target python …` does, and zip that folder",
    )


def _lib64(home: Home, layer: Contents) -> _Mistake:
    twin = home.folder.replace(_COPY, "python/lib/", 1)
    there = {file.path: file.crc32 for file in layer.files if file.path.startswith(f"{twin}/")}
    if all(there.get(twin + file.path.removeprefix(home.folder)) == file.crc32 for file in home.files):
        return _Mistake(
            reason=f"`python/lib64/` is a copy of `python/lib/`: {format_size(weight(home.files))} that nothing reads",
            hint="leave `python/lib64` out of the zip: in a virtual environment it is a link to `lib`",
            is_copy=True,
        )
    return _Mistake(
        reason="no runtime looks in `python/lib64/`", hint=f"put what is in `{home.folder}/` into `{twin}/`"
    )


def _paths(homes: Sequence[Home]) -> tuple[str, ...]:
    return tuple(file.path for home in homes for file in home.files)
