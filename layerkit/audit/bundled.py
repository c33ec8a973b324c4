"""What a stack puts in place of what the runtime brings."""

from collections.abc import Iterator, Sequence

from layerkit.audit.import_roots import reachable
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.stack import Stack
from layerkit.model.target import PythonTarget, Target


def bundled_findings(stack: Stack, targets: Sequence[Target]) -> Iterator[Finding]:
    """Yield, for each target, the bundled distributions that layers or the function come before."""
    held = {distribution.name: (distribution.version, part) for part, distribution, _ in reachable(stack, targets)}
    seen = set()
    for target in targets:
        if not isinstance(target, PythonTarget) or target.runtime.name in seen:
            continue
        seen.add(target.runtime.name)
        bundled = {each.name: each.version for each in target.runtime.bundled}
        replaced = {name: held[name][0] for name in bundled if name in held and held[name][0] != bundled[name]}
        if replaced:
            pairs = ", ".join(f"{name} {version} for {bundled[name]}" for name, version in replaced.items())
            yield Finding(
                code=Code.STACK_SHADOWS_RUNTIME,
                severity=Severity.NOTE,
                where=held[next(iter(replaced))][1].where,
                message=f"in place of what {target.runtime.name} brings: {pairs}",
            )
        if {"boto3", "botocore"} & held.keys():
            yield from _apart(bundled | {name: version for name, (version, _) in held.items()}, target)


def _apart(used: dict[str, str], target: PythonTarget) -> Iterator[Finding]:
    """Boto3 and botocore are released together; of different versions they often do not work."""
    boto3, botocore = used.get("boto3"), used.get("botocore")
    if boto3 is None or botocore is None or _series(boto3) == _series(botocore):
        return
    yield Finding(
        code=Code.STACK_SHADOWS_RUNTIME,
        severity=Severity.WARNING,
        where="stack",
        message=f"boto3 {boto3} would run with botocore {botocore} on {target.runtime.name}: these do not go together",
        hint="put both into the layer, or neither",
    )


def _series(version: str) -> list[str]:
    return version.split(".")[:2]
