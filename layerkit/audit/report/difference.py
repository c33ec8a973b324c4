"""A difference between two layers, as lines of text and as Markdown."""

from collections.abc import Iterator
from typing import Final

from layerkit.audit.diff import Amount, Change, Difference, DistributionChange, Side
from layerkit.audit.report.drawing import Table, aligned, as_markdown, escaped, plain
from layerkit.audit.weight import count
from layerkit.model.contents import Kind
from layerkit.model.limits import MIB, format_mib, format_size

_MOST_FILES: Final = 20
_SIGNS: Final = {Change.ADDED: "+", Change.REMOVED: "-", Change.VERSION: "~", Change.CONTENT: "~", Change.MOVED: ">"}
_WORDS: Final = {
    Change.ADDED: "added",
    Change.REMOVED: "removed",
    Change.CONTENT: "changed",
    Change.MOVED: "moved",
}
_TEXT_COLUMNS: Final = 3  # of the table of distributions: name, and a version on both sides


def render_text(difference: Difference) -> list[str]:
    """Return the lines of a difference for people."""
    lines = [f"{plain(difference.old.where)} -> {plain(difference.new.where)}", *aligned(_totals(difference))]
    lines += ["", *_verdict(difference)]
    if difference.distributions:
        lines += ["", *aligned(_distributions(difference))]
    if difference.kinds:
        lines += ["", *aligned(_kinds(difference))]
    if difference.files:
        lines += ["", f"{_counted(difference)}:"]
        lines += list(aligned(_files(difference)))[1:]  # the line above is its head
    return lines


def render_markdown(difference: Difference) -> list[str]:
    """Return the lines of a difference in GitHub's Markdown; whatever files are called, it stays text."""
    lines = [f"### {escaped(difference.old.where)} → {escaped(difference.new.where)}", ""]
    lines += [escaped(line) for line in _verdict(difference)]
    lines += ["", *as_markdown(_totals(difference))]
    if difference.distributions:
        lines += ["", *as_markdown(_distributions(difference))]
    if difference.kinds:
        lines += ["", *as_markdown(_kinds(difference))]
    if difference.files:
        lines += ["", f"<details><summary>{_counted(difference)}</summary>", ""]
        lines += [*as_markdown(_files(difference)), "", "</details>"]
    return lines


def _totals(difference: Difference) -> Table:
    old, new = difference.old, difference.new
    grown = new.unzipped_bytes - old.unzipped_bytes
    return Table(
        heads=("", "old", "new", "change"),
        rows=(
            ("unzipped", format_mib(old.unzipped_bytes), format_mib(new.unzipped_bytes), _signed(grown)),
            ("zipped", _zipped(old), _zipped(new), _zipped_change(old, new)),
            (
                "files",
                f"{old.files:,}",
                f"{new.files:,}",
                f"{new.files - old.files:+,}" if new.files != old.files else "0",
            ),
        ),
    )


def _verdict(difference: Difference) -> Iterator[str]:
    """Yield what it means for Lambda's limit."""
    old, new = difference.old, difference.new
    limit = f"{new.limit_bytes // MIB} MiB"
    if difference.is_empty:
        yield "no difference: the same files with the same content"
    shares = f"{_share(new)} of {limit}" if _share(old) == _share(new) else f"{_share(old)} -> {_share(new)} of {limit}"
    if new.left_bytes < 0:
        again = "no longer fits" if old.left_bytes >= 0 else "still does not fit"
        yield f"{again}: {shares}, over Lambda's limit by {-new.left_bytes:,} bytes"
    elif old.left_bytes < 0:
        yield f"fits now: {shares}, {format_size(new.left_bytes)} left"
    else:
        yield f"{shares}, {format_size(new.left_bytes)} left"


def _distributions(difference: Difference) -> Table:
    return Table(
        heads=("distribution", "old", "new", "unzipped", "change"),
        rows=tuple(map(_distribution, difference.distributions)),
        texts=_TEXT_COLUMNS,
    )


def _distribution(change: DistributionChange) -> tuple[str, ...]:
    return (
        f"{_SIGNS[change.change]} {change.name}",
        _version(change.old),
        _version(change.new),
        format_mib(change.new.unzipped_bytes) if change.new else "-",
        "moved" if change.change is Change.MOVED else _signed(change.grown_bytes),
    )


def _kinds(difference: Difference) -> Table:
    return Table(
        heads=("type", "old", "new", "change"),
        rows=tuple(
            (
                each.kind,
                format_mib(each.old_bytes),
                format_mib(each.new_bytes),
                _signed(each.new_bytes - each.old_bytes),
            )
            for each in difference.kinds
        ),
    )


def _files(difference: Difference) -> Table:
    """Return the largest changes, less the files of distributions that came or went whole; then what moved."""
    whole = {each.name for each in difference.distributions if each.change in {Change.ADDED, Change.REMOVED}}
    named = [each for each in difference.files if each.change is not Change.MOVED and each.held.owner not in whole]
    shown = named[:_MOST_FILES]
    rows = [(f"{_SIGNS[each.change]} {each.path}", _signed(each.grown_bytes)) for each in shown]
    if len(named) > len(shown):
        rows.append(
            (f"and {len(named) - len(shown):,} more", _signed(sum(each.grown_bytes for each in named[_MOST_FILES:])))
        )
    rows += [(f"> {old} -> {new}", count(number, "file")) for (old, new), number in _moves(difference).items()]
    return Table(heads=("file", "change"), rows=tuple(rows))


def _moves(difference: Difference) -> dict[tuple[str, str], int]:
    """Return how many files moved from one folder to another, the paths' common ends left out.

    Metadata whose folder is called by a new version has not moved for anybody.
    """
    updated = {each.name for each in difference.distributions if each.change is Change.VERSION}
    found: dict[tuple[str, str], int] = {}
    for each in difference.files:
        if each.change is not Change.MOVED or each.old is None or each.new is None:
            continue
        if each.new.kind is Kind.METADATA and each.new.owner in updated:
            continue
        pair = _without_common_end(each.old.path.split("/"), each.new.path.split("/"))
        found[pair] = found.get(pair, 0) + 1
    return found


def _without_common_end(old: list[str], new: list[str]) -> tuple[str, str]:
    while len(old) > 1 and len(new) > 1 and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    return "/".join(old), "/".join(new)


def _counted(difference: Difference) -> str:
    numbers = [(sum(each.change is change for each in difference.files), word) for change, word in _WORDS.items()]
    told = [f"{number:,} {word}" for number, word in numbers if number]
    return f"files: {', '.join(told)}"


def _version(amount: Amount | None) -> str:
    return "-" if amount is None or amount.version is None else amount.version


def _zipped(side: Side) -> str:
    return "-" if side.zipped_bytes is None else format_mib(side.zipped_bytes)


def _zipped_change(old: Side, new: Side) -> str:
    if old.zipped_bytes is None or new.zipped_bytes is None:
        return "-"
    return _signed(new.zipped_bytes - old.zipped_bytes)


def _share(side: Side) -> str:
    return f"{side.unzipped_bytes / side.limit_bytes:.0%}"


def _signed(size: int) -> str:
    return f"{'+' if size > 0 else '-'}{format_size(abs(size))}" if size else "0"
