"""The least that an IAM principal must be allowed, for exactly the configured destinations and one command.

Lists of functions and layer versions have no resource that IAM could name, so those actions are tied to the regions.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from layerkit.model.arn import LayerVersionArn
from layerkit.model.publishing import ALL_ENABLED, Publishing, filled
from layerkit.publish.destinations import Found

Policy: TypeAlias = dict[str, Any]

_LIST_VERSIONS: Final = "lambda:ListLayerVersions"
_LIST_FUNCTIONS: Final = "lambda:ListFunctions"
_GET: Final = "lambda:GetLayerVersion"
_POLICY: Final = "lambda:GetLayerVersionPolicy"
_ADD: Final = "lambda:AddLayerVersionPermission"
_REMOVE: Final = "lambda:RemoveLayerVersionPermission"
_DELETE: Final = "lambda:DeleteLayerVersion"
_STAGE: Final = ("s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload")
_PARAMETER: Final = ("ssm:GetParameter", "ssm:PutParameter")
_ANY_LAYER: Final = {"name": "*", "runtime": "*", "architecture": "*"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A destination as a policy sees it."""

    partition: str
    region: str
    account: str


def places_of(found: Found) -> tuple[Place, ...]:
    """Return the destinations, also those that do not answer, as long as account and region are known.

    Raises the error of one of which they are not.
    """
    for gone in found.unreachable:
        if not gone.destination.number.isdecimal() or gone.destination.region == ALL_ENABLED:
            raise gone.error
    destinations = (*found.reachable, *(gone.destination for gone in found.unreachable))
    return tuple(Place(partition=each.partition, region=each.region, account=each.number) for each in destinations)


def publishing_policy(publishing: Publishing, places: Sequence[Place], layer_names: Sequence[str]) -> Policy:
    """Return the policy of whoever publishes these layers there."""
    return _document(publishing, places, _publishing(publishing, places, layer_names))


def adopting_policy(
    publishing: Publishing, places: Sequence[Place], origin: LayerVersionArn, layer_name: str
) -> Policy:
    """Return the policy of whoever adopts a layer version."""
    read = _statement("Origin", [_GET], [str(origin)])
    return _document(publishing, places, (read, *_publishing(publishing, places, [layer_name])))


def versions_policy(publishing: Publishing, places: Sequence[Place], layer_name: str) -> Policy:
    """Return the policy of whoever compares a layer's versions."""
    return _document(
        publishing,
        places,
        (_listing([_LIST_VERSIONS], places), _statement("Versions", [_GET, _POLICY], _versions(places, [layer_name]))),
    )


def used_by_policy(publishing: Publishing, places: Sequence[Place]) -> Policy:
    """Return the policy of whoever asks which functions use a layer."""
    return _document(publishing, places, (_listing([_LIST_FUNCTIONS], places),))


def retiring_policy(publishing: Publishing, places: Sequence[Place], layer_name: str) -> Policy:
    """Return the policy of whoever deletes old versions."""
    return _document(
        publishing,
        places,
        (
            _listing([_LIST_FUNCTIONS, _LIST_VERSIONS], places),
            _statement("Versions", [_POLICY, _DELETE], _versions(places, [layer_name])),
        ),
    )


def unsharing_policy(publishing: Publishing, places: Sequence[Place], layer_name: str) -> Policy:
    """Return the policy of whoever takes permissions back."""
    return _document(
        publishing,
        places,
        (
            _listing([_LIST_VERSIONS], places),
            _statement("Versions", [_POLICY, _REMOVE], _versions(places, [layer_name])),
        ),
    )


def audit_policy(publishing: Publishing, places: Sequence[Place]) -> Policy:
    """Return the policy of whoever audits what is deployed there; it changes nothing."""
    functions = [f"arn:{place.partition}:lambda:{place.region}:{place.account}:function:*" for place in places]
    layers = [f"arn:{place.partition}:lambda:{place.region}:*:layer:*" for place in places]
    return _document(
        publishing,
        places,
        (
            _listing([_LIST_FUNCTIONS, _LIST_VERSIONS], places),
            _statement("Functions", ["lambda:GetFunction", "lambda:GetFunctionConfiguration"], functions),
            _statement("Layers", [_GET], layers),
        ),
    )


def _document(publishing: Publishing, places: Sequence[Place], statements: Iterable[Policy]) -> Policy:
    whole = [*statements, *_finding(publishing, places), *_roles(publishing)]
    return {"Version": "2012-10-17", "Statement": whole}


def _publishing(publishing: Publishing, places: Sequence[Place], names: Sequence[str]) -> Iterator[Policy]:
    yield _listing([_LIST_VERSIONS], places)
    layers = [f"arn:{place.partition}:lambda:{place.region}:{place.account}:layer" for place in places]
    yield _statement(
        "Layers", ["lambda:PublishLayerVersion"], [f"{layer}:{name}" for layer in layers for name in names]
    )
    yield _statement("Versions", [_GET, _POLICY, _ADD, _REMOVE], _versions(places, names))
    if publishing.staging_bucket is not None:
        yield from _staging(publishing, publishing.staging_bucket, places)
    if publishing.ssm_parameter is not None:
        yield _statement("Parameters", _PARAMETER, _parameters(publishing.ssm_parameter, places))


def _staging(publishing: Publishing, template: str, places: Sequence[Place]) -> Iterator[Policy]:
    buckets = list(_buckets(template, places))
    objects = (*_STAGE, "s3:GetObjectVersion") if publishing.signing_profile is not None else _STAGE
    yield _statement("StagedObjects", objects, [f"{bucket}/layerkit/*" for bucket in buckets])
    yield _statement("StagingBuckets", ["s3:ListBucket"], buckets)
    if publishing.signing_profile is not None:
        signer = [f"arn:{place.partition}:signer:{place.region}:{place.account}:" for place in places]
        profiles = [f"{each}/signing-profiles/{publishing.signing_profile}" for each in signer]
        yield _statement("Signing", ["signer:StartSigningJob"], profiles)
        yield _statement("SigningJobs", ["signer:DescribeSigningJob"], [f"{each}/signing-jobs/*" for each in signer])


def _finding(publishing: Publishing, places: Sequence[Place]) -> Iterator[Policy]:
    """Yield what finding the destinations takes; ``sts:GetCallerIdentity`` needs no permission."""
    if ALL_ENABLED in publishing.regions or any(ALL_ENABLED in account.regions for account in publishing.accounts):
        accounts = [f"arn:{place.partition}:account::{place.account}:account" for place in places]
        yield _statement("Regions", ["account:ListRegions"], accounts)


def _roles(publishing: Publishing) -> Iterator[Policy]:
    """Yield what the caller, not the role, needs to get into the accounts."""
    roles = sorted({role for account in publishing.accounts for role in account.roles})
    if roles:
        yield _statement("Roles", ["sts:AssumeRole"], roles)
    tagged = sorted({account.roles[-1] for account in publishing.accounts if account.roles and account.session_tags})
    if tagged:
        yield _statement("TaggedRoles", ["sts:TagSession"], tagged)


def _listing(actions: Sequence[str], places: Sequence[Place]) -> Policy:
    regions = _unique(place.region for place in places)
    return {
        **_statement("Lists", actions, ["*"]),
        "Condition": {"StringEquals": {"aws:RequestedRegion": regions}},
    }


def _versions(places: Sequence[Place], names: Sequence[str]) -> list[str]:
    return [
        f"arn:{place.partition}:lambda:{place.region}:{place.account}:layer:{name}:*"
        for place in places
        for name in names
    ]


def _buckets(template: str, places: Sequence[Place]) -> Iterator[str]:
    for place in places:
        values = {"region": place.region, "account": place.account, **_ANY_LAYER}
        yield f"arn:{place.partition}:s3:::{filled(template, values).replace('_', '-').lower()}"


def _parameters(template: str, places: Sequence[Place]) -> Iterator[str]:
    for place in places:
        values = {"region": place.region, "account": place.account, **_ANY_LAYER}
        yield f"arn:{place.partition}:ssm:{place.region}:{place.account}:parameter{filled(template, values)}"


def _statement(sid: str, actions: Iterable[str], resources: Iterable[str]) -> Policy:
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": _unique(resources)}


def _unique(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))
