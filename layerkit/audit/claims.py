"""What layers are meant for, by their manifests or by Lambda, against what the stack is for."""

from collections.abc import Iterator, Sequence

from layerkit.model.contents import Contents, Kind
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.stack import Stack
from layerkit.model.target import Target


def claim_findings(stack: Stack, targets: Sequence[Target]) -> Iterator[Finding]:
    """Yield the layers that are not meant for the stack's targets. Lambda itself takes them all the same."""
    runtimes = list(dict.fromkeys(target.runtime.name for target in targets))
    architectures = list(dict.fromkeys(str(target.architecture) for target in targets))
    for layer in stack.layers:
        yield from _claim(Code.STACK_RUNTIME, layer, layer.runtimes, runtimes)
        yield from _claim(Code.STACK_ARCHITECTURE, layer, layer.architectures, architectures)
    if not targets:
        yield from _contradictions(stack.layers)


def _claim(code: Code, layer: Contents, meant: Sequence[str], wanted: Sequence[str]) -> Iterator[Finding]:
    missed = [name for name in wanted if name not in meant]
    if meant and missed:
        yield _finding(code, layer, f"it is meant for {', '.join(meant)}, and not for {', '.join(missed)}")


def _contradictions(layers: Sequence[Contents]) -> Iterator[Finding]:
    for number, layer in enumerate(layers):
        for other in layers[:number]:
            for code, own, theirs in (
                (Code.STACK_RUNTIME, layer.runtimes, other.runtimes),
                (Code.STACK_ARCHITECTURE, layer.architectures, other.architectures),
            ):
                if own and theirs and not set(own) & set(theirs):
                    said = f"it is meant for {', '.join(own)}, {other.where} for {', '.join(theirs)}"
                    yield _finding(code, layer, said)


def _finding(code: Code, layer: Contents, message: str) -> Finding:
    native = any(file.kind is Kind.NATIVE for file in layer.files)
    return Finding(
        code=code,
        severity=Severity.WARNING if native else Severity.NOTE,
        where=layer.where,
        message=message + ("" if native else "; it holds no native code, so it may work"),
        hint="take the layer that was built for it" if native else None,
    )
