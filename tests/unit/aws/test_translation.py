"""How AWS fails, in our words."""

from typing import Any

import botocore.exceptions as raised
import pytest
from botocore.parsers import ResponseParserError

from layerkit.aws import errors
from layerkit.aws.asking import Asking
from layerkit.aws.translation import translated
from layerkit.errors import AwsError

ARN = "arn:aws:lambda:eu-west-1:222222222222:layer:demo:3"
ROLE = "arn:aws:iam::222222222222:role/last"
ASKING = Asking(action="lambda:GetLayerVersion", region="eu-west-1", profile="dev")
DENIED = (
    "User: arn:aws:iam::111111111111:user/me is not authorized to perform: lambda:GetLayerVersion on resource: "
    f"{ARN} because no resource-based policy allows the lambda:GetLayerVersion action"
)


def answer(code: str, message: str = "", status: int = 400) -> raised.ClientError:
    response: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return raised.ClientError(response, "GetLayerVersion")


def ours(exc: Exception, asking: Asking = ASKING) -> AwsError:
    with pytest.raises(AwsError) as caught, translated(asking):
        raise exc
    return caught.value


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ExpiredTokenException", 403, errors.CredentialsExpired),
        ("ExpiredToken", 400, errors.CredentialsExpired),
        ("UnrecognizedClientException", 403, errors.CredentialsInvalid),
        ("InvalidClientTokenId", 403, errors.CredentialsInvalid),
        ("SignatureDoesNotMatch", 403, errors.CredentialsInvalid),
        ("RequestTimeTooSkewed", 403, errors.ClockWrong),
        ("TooManyRequestsException", 429, errors.Throttled),
        ("ThrottlingException", 400, errors.Throttled),
        ("AccessDeniedException", 403, errors.ActionDenied),
        ("ResourceNotFoundException", 404, errors.NotThere),
        ("ServiceException", 500, errors.ServiceFailed),
        ("RequestTimeout", 408, errors.ServiceFailed),
        ("OptInRequired", 403, errors.NoSuchRegion),
        ("InvalidParameterValueException", 400, errors.CallRefused),
    ],
)
def test_each_code_has_its_error(code: str, status: int, kind: type[AwsError]) -> None:
    error = ours(answer(code, "it says so", status))
    assert type(error) is kind
    assert error.exit_code == 7


@pytest.mark.parametrize(
    ("exc", "kind"),
    [
        (raised.NoCredentialsError(), errors.NoCredentials),
        (raised.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"), errors.PartialCredentials),
        (raised.ProfileNotFound(profile="nope"), errors.UnknownProfile),
        (raised.UnauthorizedSSOTokenError(), errors.LoginNeeded),
        (raised.SSOTokenLoadError(error_msg="x"), errors.LoginNeeded),
        (raised.TokenRetrievalError(provider="sso", error_msg="x"), errors.LoginNeeded),
        (raised.CredentialRetrievalError(provider="custom-process", error_msg="x"), errors.CredentialsUnusable),
        (raised.EndpointConnectionError(endpoint_url="http://h", error="refused"), errors.NotConnected),
        (raised.ConnectTimeoutError(endpoint_url="http://h"), errors.NotConnected),
        (raised.SSLError(endpoint_url="https://h", error=OSError()), errors.NotConnected),
        (raised.ProxyConnectionError(proxy_url="http://p"), errors.NotConnected),
        (raised.ReadTimeoutError(endpoint_url="http://h"), errors.ConnectionLost),
        (raised.ConnectionClosedError(endpoint_url="http://h"), errors.ConnectionLost),
        (raised.HTTPClientError(error="x"), errors.ConnectionLost),
        (raised.IncompleteReadError(actual_bytes=1, expected_bytes=2), errors.AnswerIncomplete),
        (ResponseParserError("x"), errors.AnswerIncomplete),
        (raised.NoRegionError(), errors.NoRegion),
        (raised.InvalidRegionError(region_name="x y"), errors.NoSuchRegion),
        (raised.ConfigParseError(path="f"), errors.SetupWrong),
        (raised.UnknownKeyError(value="v", param="p", choices="c"), errors.SetupWrong),
    ],
)
def test_each_failure_has_its_error(exc: Exception, kind: type[AwsError]) -> None:
    assert type(ours(exc)) is kind


@pytest.mark.parametrize(
    ("exc", "done"),
    [
        (answer("InvalidParameterValueException"), "no"),
        (answer("TooManyRequestsException", status=429), "no"),
        (raised.EndpointConnectionError(endpoint_url="http://h", error="x"), "no"),
        (raised.NoCredentialsError(), "no"),
        (answer("ServiceException", status=502), "perhaps"),
        (raised.ReadTimeoutError(endpoint_url="http://h"), "perhaps"),
        (raised.ConnectionClosedError(endpoint_url="http://h"), "perhaps"),
        (ResponseParserError("x"), "perhaps"),
    ],
)
def test_an_error_tells_whether_the_work_may_be_done(exc: Exception, done: str) -> None:
    error = ours(exc)
    assert isinstance(error, errors.Refused) is (done == "no")
    assert isinstance(error, errors.Unanswered) is (done == "perhaps")


def test_a_denial_names_action_and_resource() -> None:
    error = ours(answer("AccessDeniedException", DENIED, 403))
    assert error.message == f"AWS denied `lambda:GetLayerVersion` on `{ARN}`"
    assert error.details == ("because no resource-based policy allows the lambda:GetLayerVersion action",)
    assert error.hint == "ask the owner to share it with this account"


def test_a_denial_of_ones_own_policies_says_what_to_allow() -> None:
    text = "User: me is not authorized to perform: lambda:ListFunctions on resource: * because no identity-based policy"
    error = ours(answer("AccessDeniedException", text, 403))
    assert (error.message, error.hint) == (
        "AWS denied `lambda:ListFunctions` on `*`",
        "allow `lambda:ListFunctions` in the policy of the user or role that calls",
    )


def test_a_role_that_is_refused_is_named() -> None:
    text = f"User: arn:aws:iam::1:user/me is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
    error = ours(answer("AccessDenied", text, 403), Asking(action="sts:AssumeRole", role=ROLE))
    assert type(error) is errors.RoleRefused
    assert error.message == f"role `{ROLE}` cannot be assumed: AWS denied `sts:AssumeRole`"


def test_a_signature_from_another_time_is_the_clocks_fault() -> None:
    text = "Signature expired: 20261124T000000Z is now earlier than 20261124T100000Z"
    assert type(ours(answer("InvalidSignatureException", text, 403))) is errors.ClockWrong


def test_a_login_names_the_profile() -> None:
    assert ours(raised.UnauthorizedSSOTokenError()).hint == "`aws sso login --profile dev`"


def test_a_region_that_nobody_knows_is_said_to_be_one() -> None:
    exc = raised.EndpointConnectionError(
        endpoint_url="https://lambda.eu-wset-1.amazonaws.com/", error="NameResolutionError(...)"
    )
    error = ours(exc, Asking(action="lambda:ListFunctions", region="eu-wset-1"))
    assert (type(error), error.hint) == (errors.NoSuchRegion, "did you mean `eu-west-1`?")


def test_no_message_holds_a_secret() -> None:
    """What programs print, where proxies want passwords, and what calls were made with stays inside."""
    secrets = [
        raised.CredentialRetrievalError(provider="custom-process", error_msg="geheim"),
        raised.EndpointConnectionError(endpoint_url="https://me:geheim@h/p?X-Amz-Signature=geheim", error="geheim"),
        raised.ParamValidationError(report="Invalid type for parameter FunctionName, value: geheim, type: x"),
        raised.HTTPClientError(error="geheim"),
        raised.SSOTokenLoadError(error_msg="geheim"),
    ]
    for exc in secrets:
        error = ours(exc)
        assert "geheim" not in f"{error!r} {error.message} {error.hint} {error.details}"
