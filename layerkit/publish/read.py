"""What a destination holds of a layer."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from layerkit.aws.layers import LayerApi, LayerSummary
from layerkit.aws.parameters import ParameterApi
from layerkit.aws.sessions import Session, open_session
from layerkit.publish.artifact import mark_of
from layerkit.publish.destinations import access_to
from layerkit.publish.plan import Destination, Grant, Seen, SeenVersion, Statement, Wanted


def look(wanted: Wanted, destination: Destination, *, code_digests: Mapping[str, str]) -> Seen:
    """Look at the newest version, who may use it if it is the wanted content, and the SSM parameter.

    ``code_digests`` holds the CodeSha256 of versions that are known already, by ARN. Raises ``AwsError`` subclasses.
    """
    session = open_session(access_to(destination))
    api = LayerApi(session, destination.region)
    with ThreadPoolExecutor(1) as pool:
        parameter = pool.submit(_parameter, session, destination, wanted)
        newest = api.newest(wanted.artifact.layer_name)
        seen = _version(api, newest, wanted, code_digests) if newest is not None else None
        return Seen(newest=seen, parameter=parameter.result())


def _parameter(session: Session, destination: Destination, wanted: Wanted) -> str | None:
    return ParameterApi(session, destination.region).value(wanted.parameter) if wanted.parameter else None


def _version(api: LayerApi, newest: LayerSummary, wanted: Wanted, code_digests: Mapping[str, str]) -> SeenVersion:
    artifact = wanted.artifact
    code_sha256 = code_digests.get(newest.arn)
    if code_sha256 is None and mark_of(newest.description) is None:
        code_sha256 = api.version(artifact.layer_name, newest.number).code_sha256
    is_same = artifact.is_in(description=newest.description, code_sha256=code_sha256)
    statements = api.statements(artifact.layer_name, newest.number) if is_same else ()
    return SeenVersion(
        number=newest.number,
        arn=newest.arn,
        description=newest.description,
        code_sha256=code_sha256,
        statements=tuple(
            Statement(id=each.sid, grant=Grant(principal=each.principal, organization=each.organization))
            for each in statements
        ),
    )
