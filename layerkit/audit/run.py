"""From what the user named to audits: read every part, find out for which target, judge."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from layerkit.audit.audit import Audit
from layerkit.audit.judge import judge
from layerkit.audit.sources import read_source
from layerkit.audit.targets import infer_targets, share_a_target
from layerkit.aws.access import Access
from layerkit.cache import Cache
from layerkit.errors import UsageError
from layerkit.model.contents import Contents
from layerkit.model.recipe_parts import Budget
from layerkit.model.stack import Stack
from layerkit.progress import Progress

if TYPE_CHECKING:
    from layerkit.audit.deployed import Deployed


class NothingToAudit(UsageError):
    """An audit of nothing."""

    def __init__(self) -> None:
        super().__init__(
            "there is nothing to audit",
            hint="name zips, folders, manifests or layer ARNs, or a deployed function with `--function-name`",
        )


class NoStackForFunction(UsageError):
    """A function's code, and layers that are no stack."""

    def __init__(self) -> None:
        super().__init__(
            "`--function` and `--each` exclude each other", hint="a function's code is audited with all its layers"
        )


class ConfusedAudit(UsageError):
    """Files and deployed functions in one breath."""

    def __init__(self) -> None:
        super().__init__(
            "`--function-name` and `--all-functions` say themselves which layers they mean",
            hint="audit files in a command of their own",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is to be audited, and how.

    ``layers`` are zips, folders, manifests or ARNs, in the order of the stack, or of no stack where ``each`` is for
    itself; ``function`` is a function's code here;
    ``function_name`` one that is deployed. ``runtime`` and ``architecture`` win over what manifests and files say.
    """

    layers: tuple[str, ...] = ()
    each: bool = False
    function: Path | None = None
    function_name: str | None = None
    all_functions: bool = False
    runtime: str | None = None
    architecture: str | None = None
    budget: Budget
    access: Access

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        deployed = self.all_functions or self.function_name is not None
        local = bool(self.layers) or self.function is not None
        if deployed and local:
            raise ConfusedAudit
        if not deployed and not local:
            raise NothingToAudit
        if self.each and self.function is not None:
            raise NoStackForFunction


def audits_of(question: Question, *, cache: Cache, progress: Progress) -> Iterator[Audit]:
    """Yield the audits: one for a stack, one for each layer where they are for different targets.

    Raises ``UsageError`` and ``AwsError`` subclasses.
    """
    if question.all_functions or question.function_name is not None:
        yield from (_of_deployed(deployed, question) for deployed in _deployed(question, progress))
        return
    for stack in _stacks(question, cache):
        targets = infer_targets(stack, runtime=question.runtime, architecture=question.architecture)
        yield judge(stack, targets, title=_title(stack), budget=question.budget)


def read_layer(name: str, *, cache: Cache, access: Access, deep: bool = True) -> Contents:
    """Read a zip, a folder, a manifest or a layer version's ARN."""
    if name.startswith("arn:"):
        from layerkit.audit.deployed import read_layer_arn

        return read_layer_arn(name, access=access)
    return read_source(Path(name), where=name, deep=deep, cache=cache)


def _stacks(question: Question, cache: Cache) -> Iterator[Stack]:
    with ThreadPoolExecutor() as pool:
        layers = tuple(pool.map(lambda name: read_layer(name, cache=cache, access=question.access), question.layers))
    function = (
        read_source(question.function, where=str(question.function), deep=True, cache=cache)
        if question.function is not None
        else None
    )
    together = function is not None or question.runtime is not None or question.architecture is not None
    if not question.each and (together or share_a_target(layers)):
        yield Stack(layers=layers, function=function)
    else:
        yield from (Stack(layers=(layer,)) for layer in layers)


def _deployed(question: Question, progress: Progress) -> Iterator["Deployed"]:
    from layerkit.audit.deployed import audit_all, audit_function

    if question.function_name is not None:
        yield audit_function(question.function_name, access=question.access, progress=progress)
    else:
        yield from audit_all(access=question.access, progress=progress)


def _of_deployed(deployed: "Deployed", question: Question) -> Audit:
    targets = infer_targets(
        deployed.stack,
        runtime=question.runtime or deployed.runtime,
        architecture=question.architecture or deployed.architecture,
    )
    return judge(deployed.stack, targets, title=deployed.name, budget=question.budget, known=deployed.findings)


def _title(stack: Stack) -> str:
    return stack.parts[0].where if len(stack.parts) == 1 else "stack"
