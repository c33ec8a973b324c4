"""The least that an IAM principal must be allowed, for exactly the configured destinations."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from layerkit.model.publishing import Publishing, filled

_READ: Final = ("lambda:ListLayerVersions", "lambda:GetLayerVersion", "lambda:GetLayerVersionPolicy")
_WRITE: Final = ("lambda:PublishLayerVersion",)
_SHARE: Final = ("lambda:AddLayerVersionPermission", "lambda:RemoveLayerVersionPermission")
_STAGE: Final = ("s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload")
_PARAMETER: Final = ("ssm:GetParameter", "ssm:PutParameter")
_SIGN: Final = ("signer:StartSigningJob", "signer:DescribeSigningJob")
_AUDIT: Final = (
    "lambda:GetFunction",
    "lambda:GetFunctionConfiguration",
    "lambda:ListFunctions",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A destination as a policy sees it."""

    partition: str
    region: str
    account: str


def publishing_policy(publishing: Publishing, places: Sequence[Place], layer_names: Sequence[str]) -> dict[str, Any]:
    """Return the policy of a principal that publishes these layers there, as an IAM policy document."""
    statements = [
        _statement("Identity", ("sts:GetCallerIdentity",), ["*"]),
        _statement("Layers", (*_READ, *_WRITE, *_SHARE), _layers(places, layer_names)),
    ]
    if publishing.staging_bucket is not None:
        buckets = [*_buckets(publishing.staging_bucket, places)]
        statements.append(_statement("StagingObjects", _STAGE, [f"{bucket}/layerkit/*" for bucket in buckets]))
        statements.append(_statement("StagingBuckets", ("s3:ListBucket", "s3:GetBucketLocation"), buckets))
    if publishing.ssm_parameter is not None:
        statements.append(_statement("Parameters", _PARAMETER, [*_parameters(publishing.ssm_parameter, places)]))
    if publishing.signing_profile is not None:
        profiles = [
            f"arn:{place.partition}:signer:{place.region}:{place.account}:/signing-profiles/{publishing.signing_profile}"
            for place in places
        ]
        statements.append(_statement("Signing", _SIGN, [*profiles, *_jobs(places)]))
    roles = sorted({role for account in publishing.accounts for role in account.roles})
    if roles:
        statements.append(_statement("Roles", ("sts:AssumeRole", "sts:TagSession"), roles))
    return {"Version": "2012-10-17", "Statement": statements}


def audit_policy(places: Sequence[Place]) -> dict[str, Any]:
    """Return the policy of a principal that audits what is deployed there; it changes nothing."""
    functions = [f"arn:{place.partition}:lambda:{place.region}:{place.account}:function:*" for place in places]
    layers = [f"arn:{partition}:lambda:*:*:layer:*" for partition in _unique(place.partition for place in places)]
    return {
        "Version": "2012-10-17",
        "Statement": [
            _statement("Functions", _AUDIT[:2], functions),
            _statement("AllFunctions", _AUDIT[2:], ["*"]),
            _statement("Layers", _READ[:2], layers),
        ],
    }


def _layers(places: Sequence[Place], names: Sequence[str]) -> list[str]:
    return [
        f"arn:{place.partition}:lambda:{place.region}:{place.account}:layer:{name}{suffix}"
        for place in places
        for name in names
        for suffix in ("", ":*")
    ]


def _buckets(template: str, places: Sequence[Place]) -> Iterator[str]:
    for place in places:
        values = {"region": place.region, "account": place.account, "name": "*", "runtime": "*", "architecture": "*"}
        yield f"arn:{place.partition}:s3:::{filled(template, values)}"


def _parameters(template: str, places: Sequence[Place]) -> Iterator[str]:
    for place in places:
        values = {"region": place.region, "account": place.account, "name": "*", "runtime": "*", "architecture": "*"}
        yield f"arn:{place.partition}:ssm:{place.region}:{place.account}:parameter{filled(template, values)}"


def _jobs(places: Sequence[Place]) -> list[str]:
    return [f"arn:{place.partition}:signer:{place.region}:{place.account}:/signing-jobs/*" for place in places]


def _statement(sid: str, actions: Sequence[str], resources: Iterable[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": _unique(resources)}


def _unique(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))
