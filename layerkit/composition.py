"""From fragments to a layer on disk: the second half of the pipeline, for one layer.

Prune, lay out, compile, judge, and only then write: the zip first, the manifest last.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from layerkit.assemble.extra import extra_files
from layerkit.assemble.fragment import Fragment
from layerkit.assemble.layout import ExtraFile, LayerFile, Placement, lay_out
from layerkit.assemble.link import link
from layerkit.assemble.prune import PrunePlan, plan_pruning
from layerkit.audit.binaries import binary_findings
from layerkit.audit.sizes import Sizes, size_findings
from layerkit.audit.tree import Tree
from layerkit.cache import Cache
from layerkit.composed_binaries import binaries_of, keep_binaries, unreadable_in
from layerkit.errors import UnfitError
from layerkit.facts.pruning import prune_rules
from layerkit.files import translating, write_text
from layerkit.formats.elf import BinaryFacts
from layerkit.formats.zip_writer import zip_size
from layerkit.model.finding import Code, Finding, Severity, errors_in
from layerkit.model.identity import content_digest
from layerkit.model.layer import Layer, LayerDistribution, PrunedBy
from layerkit.model.recipe import Layout, Recipe
from layerkit.model.target import PythonTarget, Target


class LayerRefused(UnfitError):
    """A layer that would not work on Lambda; nothing was written."""

    def __init__(self, *, title: str, findings: Sequence[Finding]) -> None:
        super().__init__(
            f"layer {title} would not work on Lambda",
            details=[f"{finding.where}: {finding.message}" for finding in findings],
            hint=_way_out(findings),
        )


class EmptyLayer(UnfitError):
    """A layer without files, which Lambda does not take."""

    def __init__(self, *, title: str) -> None:
        super().__init__(
            f"layer {title} holds no files, and Lambda takes no empty layer",
            hint="name a requirement, or put files into it with a recipe's [[files]]",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Making:
    """How the wheels of a layer came to be.

    ``built`` tells, by wheel name, what wheels from sdists were built from. ``libraries`` were taken along from the
    image: names for the loader, and where the files are.
    """

    builder: str = "wheels"
    image: str | None = None
    lock_sha256: str | None = None
    built: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    libraries: tuple[tuple[str, Path], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Composed:
    """A layer decided to the last byte, not yet written; ``binaries`` is ``None`` where one cannot be read."""

    recipe: Recipe
    targets: tuple[Target, ...]
    making: Making
    files: tuple[LayerFile, ...]
    distributions: tuple[LayerDistribution, ...]
    pruned: tuple[PrunedBy, ...]
    binaries: Mapping[str, BinaryFacts] | None
    findings: tuple[Finding, ...]

    @property
    def unzipped_bytes(self) -> int:
        """What AWS counts: the sizes of all files."""
        return sum(file.header.unzipped_bytes for file in self.files)

    def size_findings(self, where: str, beside_bytes: int) -> tuple[Finding, ...]:
        """Return what is to be said about the layer's sizes; ``beside_bytes`` is what else its stack holds."""
        sizes = Sizes(
            where=where,
            unzipped_bytes=self.unzipped_bytes,
            zipped_bytes=zip_size([file.header for file in self.files]),
            beside_bytes=beside_bytes,
            largest=tuple(bytes_by_owner(self.files).items()),
        )
        return size_findings(sizes, self.recipe.budget)


def compose(
    recipe: Recipe,
    targets: tuple[Target, ...],
    fragments: Sequence[Fragment],
    *,
    cache: Cache,
    making: Making,
) -> Composed:
    """Decide what the layer holds.

    Raises ``Collision``, ``UnportableNames``, ``UnknownServices``, ``InterpreterMissing``, ``RecipeError``.
    """
    placement = _placement(recipe, targets)
    plan = plan_pruning(fragments, recipe.prune)
    extra = (*extra_files(recipe), *_libraries(making))
    bytecode = tuple(_bytecode(recipe, targets, plan, placement, cache))
    files = lay_out(plan.selections, placement=placement, extra=extra, bytecode=bytecode)
    binaries = list(binaries_of(plan, placement, extra))
    unreadable = tuple(unreadable_in(plan, placement))
    return Composed(
        recipe=recipe,
        targets=targets,
        making=making,
        files=files,
        distributions=_distributions(plan, files, making.built),
        pruned=_pruned(plan),
        binaries=None if unreadable else {binary.name: binary.facts for binary in binaries},
        findings=(
            *binary_findings(binaries, targets, tree=Tree.of(f"/opt/{file.header.name}" for file in files)),
            *unreadable,
            *_unmatched(plan),
        ),
    )


def write_layer(composed: Composed, *, path: Path, title: str, beside_bytes: int, force: bool, cache: Cache) -> Layer:
    """Write the zip and then the manifest, unless the layer would not work.

    Raises ``LayerRefused`` and ``EmptyLayer``.
    """
    if not composed.files:
        raise EmptyLayer(title=title)
    findings = (*composed.size_findings(path.name, beside_bytes), *composed.findings)
    manifest_path = path.with_name(f"{path.stem}.layer.json")
    fatal = errors_in(findings)
    if fatal and not force:
        _remove_former(path, manifest_path)
        raise LayerRefused(title=title, findings=fatal)
    zipped = link(composed.files, path)
    recipe = composed.recipe
    layer = Layer(
        name=recipe.layer.name,
        path=path,
        manifest_path=manifest_path,
        description=recipe.layer.description,
        license=recipe.layer.license,
        sha256=zipped.sha256,
        code_sha256=zipped.code_sha256,
        content_digest=content_digest(file.identity for file in composed.files),
        compatible_runtimes=tuple(dict.fromkeys(target.runtime.name for target in composed.targets)),
        compatible_architectures=tuple(dict.fromkeys(str(target.architecture) for target in composed.targets)),
        zipped_bytes=zipped.zipped_bytes,
        unzipped_bytes=composed.unzipped_bytes,
        files=len(composed.files),
        builder=composed.making.builder,
        image=composed.making.image,
        lock_sha256=composed.making.lock_sha256,
        distributions=composed.distributions,
        pruned=composed.pruned,
        findings=findings,
    )
    if composed.binaries is not None:
        keep_binaries(composed.binaries, zipped.sha256, cache)
    write_text(manifest_path, json.dumps(layer.manifest(), indent=2, ensure_ascii=False) + "\n")
    return layer


def bytes_by_owner(files: Sequence[LayerFile]) -> Counter[str]:
    """Return the unzipped bytes of each distribution, and of whatever else brings files."""
    sizes = Counter[str]()
    for file in files:
        sizes[file.owner] += file.header.unzipped_bytes
    return sizes


def _way_out(findings: Sequence[Finding]) -> str | None:
    hint = next((finding.hint for finding in findings if finding.hint), None)
    if any(finding.code is Code.ELF_MISSING_LIBRARY for finding in findings):
        return f"{hint}; if another layer brings what is missing, build with `--force`"
    return hint


def _libraries(making: Making) -> Iterator[ExtraFile]:
    for name, path in making.libraries:
        yield ExtraFile(name=f"lib/{name}", content=path.read_bytes(), executable=True, owner="libraries of the image")


def _remove_former(*paths: Path) -> None:
    """Remove what an earlier build of the same layer left, lest it be taken for the one that was refused."""
    if all(path.is_file() for path in paths):
        for path in paths:
            with translating(path):
                path.unlink()


def _placement(recipe: Recipe, targets: Sequence[Target]) -> Placement:
    first = targets[0]
    if not isinstance(first, PythonTarget):
        return Placement(site_packages="python", interpreter="")
    if recipe.build.universal:
        return Placement(site_packages="python", interpreter="/var/lang/bin/python3")
    folder = f"python/lib/python{first.python_version}/site-packages"
    site_packages = folder if recipe.build.layout is Layout.SITE_PACKAGES else "python"
    return Placement(site_packages=site_packages, interpreter=first.interpreter)


def _bytecode(
    recipe: Recipe, targets: Sequence[Target], plan: PrunePlan, placement: Placement, cache: Cache
) -> Iterator[LayerFile]:
    target = targets[0]
    if not recipe.build.bytecode or not isinstance(target, PythonTarget) or not plan.selections:
        return
    from layerkit.assemble.bytecode import bytecode_of
    from layerkit.sandbox.interpreters import InterpreterMissing, find_interpreter

    interpreter = find_interpreter(target.python_version)
    if interpreter is None:
        raise InterpreterMissing(version=target.python_version, purpose="`--bytecode`")
    for selection in plan.selections:
        yield from bytecode_of(selection, placement=placement, interpreter=interpreter, cache=cache)


def _distributions(
    plan: PrunePlan, files: Sequence[LayerFile], built: Mapping[str, Mapping[str, Any]]
) -> tuple[LayerDistribution, ...]:
    unzipped = bytes_by_owner(files)
    return tuple(
        LayerDistribution(
            name=selection.fragment.distribution,
            version=selection.fragment.version,
            wheel=selection.fragment.wheel,
            unzipped_bytes=unzipped[selection.fragment.distribution],
            pruned_bytes=selection.pruned_bytes,
            stripped_bytes=sum(file.stripped_bytes for file in selection.kept),
            built_from=built.get(selection.fragment.wheel),
        )
        for selection in sorted(plan.selections, key=lambda selection: selection.fragment.distribution)
    )


def _pruned(plan: PrunePlan) -> tuple[PrunedBy, ...]:
    files, sizes = Counter[str](), Counter[str]()
    for selection in plan.selections:
        for file, rule in selection.removed:
            files[rule] += 1
            sizes[rule] += file.unzipped_bytes
    reasons = {rule.name: rule.reason for rule in prune_rules()}
    return tuple(
        PrunedBy(rule=rule, reason=reasons.get(rule, "asked for"), files=files[rule], bytes=sizes[rule])
        for rule in sorted(files)
    )


def _unmatched(plan: PrunePlan) -> Iterator[Finding]:
    for pattern in plan.unmatched:
        yield Finding(
            code=Code.PRUNE_UNMATCHED,
            severity=Severity.WARNING,
            where=pattern,
            message="the pattern takes no file of this layer",
            hint="patterns are relative to site-packages, or to /opt for scripts and data; `**` crosses folders",
        )
