"""How AWS fails, in words that name the way out. No message holds a key, a token or what a link is signed with.

Every error is either ``Refused``: certainly nothing was done; or ``Unanswered``: perhaps it was done.
"""

from layerkit.errors import AwsError

_LOGIN = "name a profile with `--profile`, set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or log in with `aws`"


class Refused(AwsError):
    """A call of which nothing was done."""


class Unanswered(AwsError):
    """A call that may have been done, whose answer did not arrive or says that AWS itself failed."""


class CredentialsProblem(Refused):
    """Credentials that are missing, incomplete, expired or not AWS's: no further call will fare better."""


class NoCredentials(CredentialsProblem):
    """No credentials anywhere."""

    def __init__(self) -> None:
        super().__init__("no AWS credentials were found", hint=_LOGIN)


class PartialCredentials(CredentialsProblem):
    """Credentials of which a part is missing."""

    def __init__(self, *, source: str, missing: str) -> None:
        super().__init__(
            f"the AWS credentials are incomplete: `{missing}` is missing ({source})",
            hint="set the key and the secret together, in one place",
        )


class CredentialsUnusable(CredentialsProblem):
    """Whatever should have brought credentials failed."""

    def __init__(self, *, reason: str) -> None:
        super().__init__(f"the AWS credentials cannot be had: {reason}", hint=_LOGIN)


class UnknownProfile(CredentialsProblem):
    """A profile that no configuration file has."""

    def __init__(self, *, name: str, known: tuple[str, ...]) -> None:
        hint = f"one of {', '.join(known)}" if known else "no profiles are configured; `aws configure` makes one"
        super().__init__(f"there is no AWS profile `{name}`", hint=hint)


class LoginNeeded(CredentialsProblem):
    """A session of single sign-on that is over or was never opened."""

    def __init__(self, *, profile: str | None, command: str = "aws sso login") -> None:
        super().__init__(
            "the AWS login is over, or was never made",
            hint=f"`{command} --profile {profile}`" if profile else f"`{command}`",
        )


class CredentialsExpired(CredentialsProblem):
    """Temporary credentials past their end."""

    def __init__(self) -> None:
        super().__init__("the AWS credentials have expired", hint="get new ones, and run the command again")


class CredentialsInvalid(CredentialsProblem):
    """Keys that AWS does not know, or secrets that do not belong to them."""

    def __init__(self, *, code: str) -> None:
        super().__init__(
            f"AWS does not accept the credentials ({code})",
            hint="see which ones are in use with `aws sts get-caller-identity`",
        )


class ClockWrong(CredentialsProblem):
    """A clock so far off that AWS does not believe the signatures."""

    def __init__(self) -> None:
        super().__init__(
            "AWS does not believe the time at which the call was signed",
            hint="this machine's clock is wrong; set it, for example with NTP",
        )


class RoleRefused(CredentialsProblem):
    """A role that may not be assumed."""

    def __init__(self, *, role: str, reason: str) -> None:
        super().__init__(
            f"role `{role}` cannot be assumed: {reason}",
            hint="its trust policy must name who calls, with the external id and `sts:TagSession` where they are used",
        )


class NoRegion(CredentialsProblem):
    """No region is named anywhere."""

    exit_code = 2

    def __init__(self) -> None:
        super().__init__(
            "no AWS region is named", hint="name it with `--region`, or set `AWS_REGION` or the profile's `region`"
        )


class NoSuchRegion(Refused):
    """A region that does not exist, or not for this account."""

    def __init__(self, *, region: str, close: str | None = None) -> None:
        hint = f"did you mean `{close}`?" if close else "look it up, and whether the account has enabled it"
        super().__init__(f"AWS does not answer for region `{region}`", hint=hint)


class ActionDenied(Refused):
    """An action that the caller's policies, or those of what it is about, do not allow."""

    def __init__(self, *, action: str, resource: str | None, reason: str | None) -> None:
        on = f" on `{resource}`" if resource else ""
        shared = "resource-based policy" in (reason or "")
        hint = f"allow `{action}` in the policy of the user or role that calls"
        super().__init__(
            f"AWS denied `{action}`{on}",
            details=(reason,) if reason else (),
            hint="ask the owner to share it with this account" if shared else hint,
        )
        self.action = action
        self.resource = resource
        self.reason = reason


class Throttled(Refused):
    """A rate that AWS still finds too high after several attempts."""

    def __init__(self, *, action: str) -> None:
        super().__init__(
            f"AWS throttles `{action}`, also after several attempts",
            hint="somebody else uses up the account's rate; try again later, or raise `AWS_MAX_ATTEMPTS`",
        )


class NotThere(Refused):
    """Something that AWS does not have."""

    def __init__(self, *, action: str, text: str) -> None:
        super().__init__(
            f"AWS does not find it: {text} (`{action}`)", hint="check the name, the region and the account"
        )


class CallRefused(Refused):
    """Any other answer that says no."""

    def __init__(self, *, action: str, code: str, text: str) -> None:
        super().__init__(f"AWS refused `{action}`: {text or code}", details=(code,) if text else ())
        self.code = code


class NotConnected(Refused):
    """An endpoint that cannot be reached at all."""

    def __init__(self, *, endpoint: str, reason: str) -> None:
        super().__init__(
            f"cannot reach AWS at `{endpoint}`: {reason}",
            hint="check the network, the region, `AWS_ENDPOINT_URL` and `HTTPS_PROXY`",
        )


class SetupWrong(Refused):
    """Settings of AWS's tools that cannot be used, or a call that they do not let through."""

    def __init__(self, *, reason: str) -> None:
        super().__init__(f"AWS cannot be called as things are set: {reason}")


class ConnectionLost(Unanswered):
    """A connection that broke off, or an answer that never came."""

    def __init__(self, *, action: str, reason: str) -> None:
        super().__init__(f"AWS gave no answer to `{action}`: {reason}", hint="check the network, and try again")


class AnswerIncomplete(Unanswered):
    """An answer that lacks what every such answer has: it was cut short on the way."""

    def __init__(self, *, action: str) -> None:
        super().__init__(f"AWS's answer to `{action}` was cut short", hint="check the network, and try again")


class ServiceFailed(Unanswered):
    """AWS's own trouble."""

    def __init__(self, *, action: str, code: str, status: int) -> None:
        super().__init__(
            f"AWS failed at `{action}`: {code} ({status})",
            hint="try again later; https://health.aws.amazon.com tells more",
        )
