"""Measure the recipes, and write ``docs/catalogue.md`` and the sizes in their READMEs.

``python docs/catalogue.py [RECIPE...]`` builds every layer of the recipes (of all, if none is named) from its lock,
notes the sizes in ``catalogue.json`` and writes the pages. ``--check`` builds nothing and changes nothing: it exits 1
and names what does not agree with the recipes, their locks and what was measured.
"""  # noqa: INP001 -- a script, no package

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement

from layerkit.assemble.extra import extra_files
from layerkit.cookbook import find_recipes, load_recipe
from layerkit.facts import limits
from layerkit.model.limits import format_size
from layerkit.model.lock import Lock
from layerkit.model.names import normalize
from layerkit.model.recipe import Recipe
from layerkit.model.target import PlainTarget
from layerkit.model.universal import UniversalTarget
from layerkit.order import Job, Order, jobs_of

RECIPES: Final = Path(__file__).parents[1] / "recipes"
PAGE: Final = Path(__file__).with_suffix(".md")
MEASURED: Final = Path(__file__).with_suffix(".json")
EVERYDAY: Final = [f"python3.{minor} {machine}" for minor in (12, 13, 14) for machine in ("x86_64", "arm64")]
SIZES: Final = re.compile(r"^## Sizes\n\n(?:With the versions of its locks [^\n]*\n\n)?(?:\|[^\n]*\n)+", re.MULTILINE)
REASON: Final = re.compile(r"((?:^#[^\n]*\n)*)^(?:runtimes|architectures) = [^#\n]*(#[^\n]*)?", re.MULTILINE)
HEAD: Final = """\
<!-- Written by docs/catalogue.py; `make recipes` refreshes it -->

# Catalogue

The recipes that come with layerkit. `layerkit build recipes/NAME` builds the layers of one, and
`layerkit invoke recipes/NAME` shows its example at work. Sizes were measured with the versions of the locks, and are
those of the largest target. All layers of a function and its code together must be smaller than 250 MiB unzipped.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """One layer of a recipe, and its bytes, if they were measured with what it is made from now."""

    file_name: str
    target: str
    versions: Mapping[str, str]
    made_from: str
    unzipped: int
    zipped: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A recipe and its layers; ``name`` is the folder's within the recipes."""

    name: str
    recipe: Recipe
    layers: Sequence[Layer]

    @property
    def readme(self) -> Path:
        """The page that tells of it: its own, or that of the recipes it belongs to."""
        own = self.recipe.path.with_name("README.md")
        return own if own.exists() or "/" not in self.name else own.parents[1] / own.name

    @property
    def missing(self) -> list[str]:
        """The everyday targets that it has no layer for, if it is one for Python."""
        targets = [layer.target for layer in self.layers]
        return [each for each in EVERYDAY if each not in targets] if targets[0].startswith("python") else []

    @property
    def reason(self) -> str:
        """Why: the comments at `runtimes` and `architectures` in the recipe."""
        found = REASON.findall(self.recipe.path.read_text(encoding="utf-8"))
        return " ".join(" ".join(part for pair in found for part in pair).replace("#", " ").split())

    def largest(self, what: str) -> int:
        """Return the most bytes, ``unzipped`` or ``zipped``, that one of its layers has."""
        return max(int(getattr(layer, what)) for layer in self.layers)


def entries() -> Iterator[Entry]:
    """Yield every recipe with what its locks say and what was measured."""
    measured = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}
    for path in find_recipes(RECIPES):
        order = Order(recipe=load_recipe(path), lock_folder=path.parent)
        layers = [
            _layer(job, measured.get(job.file_name, {})) for job in jobs_of([order], today=datetime.now(UTC).date())
        ]
        yield Entry(name=path.parent.relative_to(RECIPES).as_posix(), recipe=order.recipe, layers=layers)


def _layer(job: Job, measured: Mapping[str, Any]) -> Layer:
    recipe, target, text = job.order.recipe, job.target, ""
    if recipe.layer.requirements and not isinstance(target, PlainTarget):
        text = job.order.lock_path(target).read_text(encoding="utf-8")
    made_from = _digest(recipe, text)
    known = measured if measured.get("made_from") == made_from else {}
    return Layer(
        file_name=job.file_name,
        target="universal" if isinstance(target, UniversalTarget) else f"{target.runtime.name} {target.architecture}",
        versions={each.name: each.version for each in Lock.from_toml(text).packages} if text else {},
        made_from=made_from,
        unzipped=known.get("unzipped_bytes", 0),
        zipped=known.get("zipped_bytes", 0),
    )


def _digest(recipe: Recipe, lock: str) -> str:
    """Return a digest over the lock, what the recipe says of building and pruning, and its files."""
    said = tomllib.loads(recipe.path.read_text(encoding="utf-8"))
    files = [[each.name, hashlib.sha256(each.content).hexdigest()] for each in extra_files(recipe)]
    parts = [lock, said.get("build"), said.get("prune"), files]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def measure(names: Sequence[str]) -> None:
    """Build the layers of the recipes named, or of all, one recipe after the other, and note their sizes."""
    digests = {layer.file_name: layer.made_from for entry in entries() for layer in entry.layers}
    noted = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}
    for path in [path for name in names or [str(RECIPES)] for path in find_recipes(Path(name))]:
        with tempfile.TemporaryDirectory() as out:
            options = ["--locked", "--json", "--quiet", "--out", out]
            command = [sys.executable, "-m", "layerkit", "build", str(path), *options]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        for layer in json.loads(done.stdout)["layers"]:
            name = Path(layer["path"]).name
            sizes = {key: layer[key] for key in ("unzipped_bytes", "zipped_bytes")}
            noted[name] = {"made_from": digests[name], **sizes}
        text = json.dumps({name: noted[name] for name in sorted({*digests} & {*noted})}, indent=1)
        MEASURED.write_text(text + "\n", encoding="utf-8", newline="\n")


def versions(layers: Iterable[Layer], names: Iterable[str] | None = None) -> str:
    """Tell the versions of some distributions, or of all; where targets differ, each that there is."""
    found: dict[str, dict[str, None]] = {}
    for name, version in sorted(pair for layer in layers for pair in layer.versions.items()):
        found.setdefault(name, {})[version] = None
    return ", ".join(f"{name} {' or '.join(found[name])}" for name in names or found if name in found)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def size(number: int) -> str:
    """Return a size, or nothing where it is not known."""
    return format_size(number) if number else ""


def share(number: int) -> str:
    """Return how much of what Lambda takes that is, in whole hundredths."""
    percent = round(100 * number / limits().unzipped_bytes)
    return f"{percent}%" if percent else "<1%"


def page(known: Sequence[Entry]) -> str:
    """Return the catalogue."""
    head = ["Recipe", "What it is for", "Versions", "Unzipped", "Of 250 MiB", "Zipped"]
    rows = [
        [
            f"[{each.name}](../recipes/{each.name})",
            each.recipe.layer.description,
            versions(each.layers, [normalize(Requirement(line).name) for line in each.recipe.layer.requirements]),
            size(each.largest("unzipped")),
            share(each.largest("unzipped")),
            size(each.largest("zipped")),
        ]
        for each in known
    ]
    return "\n".join([HEAD, table(head, rows), "## Unzipped, by target\n", *by_target(known), *gaps(known)])


def by_target(known: Sequence[Entry]) -> Iterator[str]:
    """Yield the unzipped sizes for each target, recipes for Python and others apart."""
    for python in (True, False):
        group = [each for each in known if each.layers[0].target.startswith("provided") is not python]
        targets = [*dict.fromkeys(layer.target for each in group for layer in each.layers)]
        sizes = [(each.name, {layer.target: layer.unzipped for layer in each.layers}) for each in group]
        yield table(["Recipe", *targets], [[name, *(size(of.get(each, 0)) for each in targets)] for name, of in sizes])


def gaps(known: Sequence[Entry]) -> Iterator[str]:
    """Yield which recipes lack a target, and why."""
    rows = [[each.name, ", ".join(each.missing), each.reason] for each in known if each.missing]
    if rows:
        yield f"## Not for every target\n\n{table(['Recipe', 'Not for', 'Why'], rows)}"


def sizes_of(some: Sequence[Entry]) -> str:
    """Return what a README says of sizes: of one recipe, or of several that belong together."""
    layers = [layer for each in some for layer in each.layers]
    locked = any(layer.versions for layer in layers)
    made = f"With the versions of its locks ({versions(layers)}):\n\n" if locked else ""
    rows = [
        [
            f"{each.name.rpartition('/')[2]}, {layer.target}" if some[1:] else layer.target,
            size(layer.unzipped),
            size(layer.zipped),
        ]
        for each in some
        for layer in each.layers
    ]
    return f"## Sizes\n\n{made}" + table(["Target", "Unzipped", "Zipped"], rows)


def pages() -> dict[Path, str]:
    """Return every page as it should be; a README without sizes gets them at its end."""
    known = [*entries()]
    found = {PAGE: page(known)}
    for path in dict.fromkeys(each.readme for each in known if each.readme.exists()):
        text = path.read_text(encoding="utf-8")
        before, after = (*SIZES.split(text, maxsplit=1), "")[:2] if SIZES.search(text) else (text.rstrip() + "\n\n", "")
        found[path] = before + sizes_of([each for each in known if each.readme == path]) + after
    return found


def problems() -> Iterator[str]:
    """Yield what is not as it should be."""
    for entry in entries():
        if not all(layer.zipped for layer in entry.layers):
            yield f"recipes/{entry.name} was not measured as it is now"
        if entry.missing and not entry.reason:
            yield f"recipes/{entry.name} has no comment on why it is not for {', '.join(entry.missing)}"
    for path, text in pages().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            yield f"{path.relative_to(RECIPES.parent).as_posix()} is not current"


def main() -> int:
    """Measure and write, or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", nargs="*", metavar="RECIPE", help="measure only these")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if something is not current")
    said = parser.parse_args()
    if said.check:
        found = [f"{each}\n" for each in problems()]
        sys.stdout.writelines(found)
        return 1 if found else 0
    measure(said.recipes)
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
