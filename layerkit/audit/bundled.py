"""What a stack puts in place of what the runtime brings, and what does not go together with what stays."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from layerkit.audit.import_roots import Placed, search_path_of
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.stack import Stack
from layerkit.model.target import PythonTarget, Target

_OF_THE_RUNTIME: Final = frozenset({"awslambdaric", "simplejson", "snapshot-restore-py"})  # what runs the function
_URLLIB3_2: Final = 2
_TAKES_URLLIB3_2: Final = (3, 10)  # botocore's own metadata: urllib3 below 1.27 for an older Python
_NUMBERS: Final = re.compile(r"\d+(?:\.\d+)*")


def bundled_findings(stack: Stack, targets: Sequence[Target]) -> Iterator[Finding]:
    """Yield, for each runtime, the bundled distributions that layers or the function come before."""
    pythons = {target.runtime.name: target for target in targets if isinstance(target, PythonTarget)}
    for target in pythons.values():
        bundled = {each.name: each.version for each in target.runtime.bundled}
        imported = search_path_of(stack, target).imported()
        held = {name: imported[name] for name in bundled if name in imported}
        yield from _replaced(held, bundled, target)
        if stack.is_whole:
            yield from _apart(held, bundled, target)
            yield from _too_new_for_botocore(held, bundled, target)


def _replaced(held: Mapping[str, Placed], bundled: Mapping[str, str], target: PythonTarget) -> Iterator[Finding]:
    replaced = {name: placed for name, placed in held.items() if placed.distribution.version != bundled[name]}
    if replaced:
        pairs = ", ".join(
            f"{name} {placed.distribution.version} for {bundled[name]}" for name, placed in replaced.items()
        )
        own = sorted(replaced.keys() & _OF_THE_RUNTIME)
        yield Finding(
            code=Code.STACK_SHADOWS_RUNTIME,
            severity=Severity.NOTE,
            where=_where(replaced.values()),
            message=f"in place of what {target.runtime.name} brings: {pairs}"
            + (f"; the runtime itself works with {', '.join(own)}" if own else ""),
        )


def _apart(held: Mapping[str, Placed], bundled: Mapping[str, str], target: PythonTarget) -> Iterator[Finding]:
    """Boto3 requires the botocore of its own version or a later one of that series; what is bundled says so, too."""
    botocore, boto3 = held.get("botocore"), bundled.get("boto3")
    if botocore is None or boto3 is None or "boto3" in held:
        return
    mine, wanted = _numbers(botocore.distribution.version), _numbers(boto3)
    if mine[:2] == wanted[:2] and mine >= wanted:
        return
    yield Finding(
        code=Code.STACK_SHADOWS_RUNTIME,
        severity=Severity.WARNING,
        where=botocore.part.where,
        message=f"boto3 {boto3} of {target.runtime.name}{_seen(target)} would run with botocore"
        f" {botocore.distribution.version}: these do not go together",
        hint="put both into the layer, or neither",
    )


def _too_new_for_botocore(
    held: Mapping[str, Placed], bundled: Mapping[str, str], target: PythonTarget
) -> Iterator[Finding]:
    urllib3 = held.get("urllib3")
    if urllib3 is None or "botocore" in held or "botocore" not in bundled or target.runtime.python >= _TAKES_URLLIB3_2:
        return
    if _numbers(urllib3.distribution.version)[0] >= _URLLIB3_2:
        yield Finding(
            code=Code.STACK_SHADOWS_RUNTIME,
            severity=Severity.WARNING,
            where=urllib3.part.where,
            message=f"botocore {bundled['botocore']} of {target.runtime.name} would run with urllib3"
            f" {urllib3.distribution.version}, and takes it only below 1.27 on this Python",
            hint="put `urllib3<1.27` into the layer",
        )


def _numbers(version: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with; 0 where it begins otherwise."""
    match = _NUMBERS.match(version)
    return tuple(int(number) for number in match.group().split(".")) if match else (0,)


def _seen(target: PythonTarget) -> str:
    seen = target.runtime.bundled_seen
    return f" (as seen on {seen.isoformat()})" if seen is not None else ""


def _where(held: Iterable[Placed]) -> str:
    places = dict.fromkeys(placed.part.where for placed in held)
    return next(iter(places)) if len(places) == 1 else "stack"
