"""The ARNs of what was published, in the forms that other tools read."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Final

from layerkit.publish.outcome import Outcome, Status

_NOT_ALPHANUMERIC: Final = re.compile(r"[^A-Za-z0-9]+")


class Form(StrEnum):
    """Who is to read it: anything, Terraform, CloudFormation, a shell."""

    ARNS_JSON = "arns.json"
    TFVARS = "tfvars"
    CLOUDFORMATION = "cloudformation"
    ENV = "env"


def render(form: Form, outcomes: Sequence[Outcome]) -> str:
    """Return the ARNs of every outcome that has one, by layer name, account and region."""
    return _RENDERERS[form](_arns(outcomes))


_Arns = Mapping[str, Mapping[str, Mapping[str, str]]]


def _arns(outcomes: Sequence[Outcome]) -> _Arns:
    found: dict[str, dict[str, dict[str, str]]] = {}
    for outcome in outcomes:
        if outcome.arn is not None:
            destination, name = outcome.step.destination, outcome.step.wanted.artifact.layer_name
            found.setdefault(name, {}).setdefault(destination.number, {})[destination.region] = outcome.arn
    return found


def _json(arns: _Arns) -> str:
    return json.dumps(arns, indent=2, sort_keys=True) + "\n"


def _tfvars(arns: _Arns) -> str:
    return f"layer_arns = {json.dumps(arns, indent=2, sort_keys=True)}\n"


def _cloudformation(arns: _Arns) -> str:
    """Return one mapping a layer, for ``!FindInMap [NameLayer, !Ref AWS::Region, !Ref AWS::AccountId]``."""
    mappings: dict[str, dict[str, dict[str, str]]] = {}
    for name, by_account in arns.items():
        mapping = mappings.setdefault(f"{_NOT_ALPHANUMERIC.sub('', name)}Layer", {})
        for number, regions in by_account.items():
            for region, arn in regions.items():
                mapping.setdefault(region, {})[number] = arn
    return json.dumps({"Mappings": mappings}, indent=2, sort_keys=True) + "\n"


def _env(arns: _Arns) -> str:
    lines = [
        f"{_variable(name, number, region)}={arn}"
        for name, by_account in sorted(arns.items())
        for number, regions in sorted(by_account.items())
        for region, arn in sorted(regions.items())
    ]
    return "\n".join(lines) + "\n" if lines else ""


def _variable(*parts: str) -> str:
    return _NOT_ALPHANUMERIC.sub("_", "_".join(("LAYER_ARN", *parts))).upper()


def step_outputs(outcomes: Sequence[Outcome]) -> str:
    """Return the lines that GitHub Actions takes as a step's outputs: ``arns`` (JSON), ``changed`` and ``failed``."""
    arns = json.dumps(_arns(outcomes), sort_keys=True, separators=(",", ":"))
    changed = any(outcome.status is Status.PUBLISHED for outcome in outcomes)
    failed = any(outcome.error is not None for outcome in outcomes)
    return f"arns={arns}\nchanged={json.dumps(changed)}\nfailed={json.dumps(failed)}\n"


def summary(outcomes: Sequence[Outcome]) -> str:
    """Return what happened where, as a Markdown table."""
    lines = [
        "### Lambda layers",
        "",
        "| layer | account | region | status | version |",
        "| --- | --- | --- | --- | --- |",
    ]
    for outcome in outcomes:
        destination = outcome.step.destination
        cells = (
            outcome.step.wanted.artifact.layer_name,
            f"{destination.account.name} {destination.number}",
            destination.region,
            str(outcome.status) if outcome.error is None else f"{outcome.status}: {outcome.error.message}",
            f"`{outcome.arn}`" if outcome.arn is not None else "-",
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


_RENDERERS: Final[Mapping[Form, Callable[[_Arns], str]]] = {
    Form.ARNS_JSON: _json,
    Form.TFVARS: _tfvars,
    Form.CLOUDFORMATION: _cloudformation,
    Form.ENV: _env,
}
