"""The binaries of a layer that is being composed: known since their wheels were prepared."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from layerkit.assemble.layout import ExtraFile, Placement
from layerkit.assemble.prune import PrunePlan
from layerkit.audit.binaries import unreadable_finding
from layerkit.audit.insides import Sights
from layerkit.audit.layer_binary import LayerBinary
from layerkit.audit.sight_cache import keep, recall
from layerkit.cache import Cache
from layerkit.formats import elf
from layerkit.formats.elf import BinaryFacts
from layerkit.model.finding import Finding

_ANYWHERE: Final = "-any.whl"


def binaries_of(plan: PrunePlan, placement: Placement, extra: Sequence[ExtraFile]) -> Iterator[LayerBinary]:
    """Yield the binaries of the wheels and of the recipe's own files."""
    yield from _binaries(plan, placement)
    yield from _extra_binaries(extra)


def unreadable_in(plan: PrunePlan, placement: Placement) -> Iterator[Finding]:
    """Yield what is to be said about files that begin like binaries and are none."""
    for selection in plan.selections:
        fragment = selection.fragment
        for file in selection.kept:
            why = fragment.unreadable.get((file.scheme, file.path))
            if why is not None:
                yield unreadable_finding(
                    placement.name(file.scheme, file.path, distribution=fragment.distribution),
                    owner=fragment.distribution,
                    why=why,
                )


def keep_binaries(binaries: Mapping[str, BinaryFacts], sha256: str, cache: Cache) -> None:
    """Spare an audit of the zip with this SHA-256 the look at binaries that were looked at before."""
    if recall(cache, sha256) is None:
        keep(cache, sha256, Sights(binaries=dict(binaries), has_only_binaries=True))


def _binaries(plan: PrunePlan, placement: Placement) -> Iterator[LayerBinary]:
    for selection in plan.selections:
        fragment = selection.fragment
        for file in selection.kept:
            facts = fragment.binaries.get((file.scheme, file.path))
            if facts is not None:
                name = placement.name(file.scheme, file.path, distribution=fragment.distribution)
                anywhere = fragment.wheel.endswith(_ANYWHERE)
                yield LayerBinary(name=name, owner=fragment.distribution, facts=facts, runs_anywhere=anywhere)


def _extra_binaries(extra: Sequence[ExtraFile]) -> Iterator[LayerBinary]:
    for file in extra:
        if elf.is_elf(file.content):
            with contextlib.suppress(elf.ElfError):  # not a binary after all
                yield LayerBinary(name=file.name, owner=file.name, facts=elf.binary_facts(file.content), is_owned=False)
