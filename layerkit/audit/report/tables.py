"""What the reports for people have in common: the tables of an audit, as text in cells."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final

from layerkit.audit.audit import Audit
from layerkit.audit.measure import Share, by_distribution, by_file, by_kind
from layerkit.audit.report.drawing import Table
from layerkit.model.contents import Contents
from layerkit.model.limits import format_size


class By(StrEnum):
    """What the room in a layer is shared out among."""

    DISTRIBUTION = "distribution"
    FILE = "file"
    TYPE = "type"


_CHECK_MORE: Final = "`--runtime` has requirements and binaries checked, too"

_SHARES: Final = {By.DISTRIBUTION: by_distribution, By.FILE: by_file, By.TYPE: by_kind}


def shares_table(contents: Contents, by: By, top: int) -> Table:
    """Return who takes how much of a layer, the largest first; what is beyond ``top`` in one row."""
    shares = _SHARES[by](contents)
    rest = shares[top:]
    listed = [*shares[:top], _sum(f"{len(rest)} more", rest)] if len(rest) > 1 else shares
    heads = (by.value, "unzipped", "share", "zipped") + (("files",) if by is not By.FILE else ())
    return Table(heads=heads, rows=tuple(_cells(share, contents)[: len(heads)] for share in listed))


def parts_table(audit: Audit) -> Table:
    """Return the parts of a stack in Lambda's order."""
    return Table(heads=("stack", "unzipped", "zipped", "files"), rows=tuple(_part_rows(audit)))


def targets_text(audit: Audit) -> str:
    """Return for which targets a stack was judged: ``python3.12 on x86_64``; empty where nothing tells."""
    runtimes = dict.fromkeys(target.runtime.name for target in audit.targets)
    architectures = dict.fromkeys(str(target.architecture) for target in audit.targets)
    return f"{', '.join(runtimes)} on {', '.join(architectures)}" if audit.targets else ""


def unknown_target(audit: Audit) -> str:
    """Say why a stack was judged for no target."""
    told = any(part.runtimes or part.architectures for part in audit.stack.parts)
    why = "its parts are meant for different targets" if told else "nothing tells for which runtime"
    return f"{why}; {_CHECK_MORE}"


def _part_rows(audit: Audit) -> Iterator[tuple[str, ...]]:
    for number, layer in enumerate(audit.stack.layers, start=1):
        yield (f"{number} {layer.where}", *_figures(layer))
    if (function := audit.stack.function) is not None:
        yield (f"function {function.where}", *_figures(function))


def _figures(contents: Contents) -> tuple[str, ...]:
    zipped = "-" if contents.zipped_bytes is None else format_size(contents.zipped_bytes)
    if not contents.is_read:
        return "unknown", zipped, "unknown"
    return format_size(contents.unzipped_bytes), zipped, f"{len(contents.files):,}"


def _cells(share: Share, contents: Contents) -> tuple[str, ...]:
    name = f"{share.name} {share.version}" if share.version else share.name
    portion = share.unzipped_bytes / contents.unzipped_bytes if contents.unzipped_bytes else 0
    zipped = "-" if contents.zipped_bytes is None else format_size(share.zipped_bytes)
    return name, format_size(share.unzipped_bytes), f"{portion:.0%}", zipped, f"{share.files:,}"


def _sum(name: str, shares: Sequence[Share]) -> Share:
    return Share(
        name=name,
        version=None,
        files=sum(share.files for share in shares),
        unzipped_bytes=sum(share.unzipped_bytes for share in shares),
        zipped_bytes=sum(share.zipped_bytes for share in shares),
    )
