"""Roles: sessions whose credentials are fetched when first needed, and again before they end."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from layerkit.aws.access import Access

if TYPE_CHECKING:
    import botocore.session

_ROLE_SECONDS: Final = 3600  # the most that a role assumed by a role may have


def request_for(role: str, access: Access, *, is_last: bool) -> dict[str, Any]:
    """Return what ``AssumeRole`` is to be asked; external id and session tags go with the last role."""
    request: dict[str, Any] = {"RoleArn": role, "RoleSessionName": "layerkit", "DurationSeconds": _ROLE_SECONDS}
    if is_last and access.external_id is not None:
        request["ExternalId"] = access.external_id
    if is_last and access.session_tags:
        request["Tags"] = [{"Key": key, "Value": value} for key, value in access.session_tags]
    return request


def share_models(raw: "botocore.session.Session") -> None:
    """Let a session read the services' models where all others read them: that takes longer than a call."""
    raw.register_component("data_loader", _models(raw.get_config_variable("data_path")))


@functools.cache
def _models(data_path: str | None) -> Any:
    from botocore.loaders import create_loader

    return create_loader(data_path)


def session_of(assume: Callable[[], Any], *, profile: str | None) -> "botocore.session.Session":
    """Return a session of the role that ``assume`` brings ``Credentials`` of."""
    import botocore.session
    from botocore.credentials import CredentialProvider, CredentialResolver, DeferredRefreshableCredentials

    def fetch() -> dict[str, str]:
        given = assume()
        return {
            "access_key": given["AccessKeyId"],
            "secret_key": given["SecretAccessKey"],
            "token": given["SessionToken"],
            "expiry_time": given["Expiration"].isoformat(),
        }

    class Given(CredentialProvider):
        METHOD = "assume-role"

        def load(self) -> DeferredRefreshableCredentials:
            return DeferredRefreshableCredentials(refresh_using=fetch, method=self.METHOD)

    raw = botocore.session.Session(profile=profile)
    share_models(raw)
    raw.register_component("credential_provider", CredentialResolver(providers=[Given()]))
    return raw
