"""boto3's clients of the server, without retries, and what a client makes of a refusal."""

import io
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from typing import Any, Self

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.aws_server.server import AwsServer


@cache
def _session() -> boto3.Session:
    """Return one session for all, which knows the services' models once it has read them."""
    return boto3.Session()


def zip_of(size: int = 10, *, files: int = 1) -> bytes:
    """Return a zip whose files have ``size`` bytes together."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as out:
        for number in range(files):
            entry = zipfile.ZipInfo(f"python/module{number}.py", (2020, 2, 2, 2, 2, 2))
            out.writestr(entry, bytes(size // files), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


class Clients:
    """Makes clients and closes them; a context manager."""

    def __init__(self, server: AwsServer, *, account: str = "111111111111", region: str = "eu-west-1") -> None:
        self.server = server
        self.account = account
        self.region = region
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def __call__(
        self,
        service: str,
        *,
        account: str | None = None,
        region: str | None = None,
        credentials: dict[str, str] | None = None,
    ) -> Any:
        """Return a client of an account's own keys, or of the ``Credentials`` that STS gave out."""
        own = self.server.keys(account or self.account)
        keys = {
            "aws_access_key_id": own["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": own["AWS_SECRET_ACCESS_KEY"],
        }
        if credentials:
            keys = {
                "aws_access_key_id": credentials["AccessKeyId"],
                "aws_secret_access_key": credentials["SecretAccessKey"],
                "aws_session_token": credentials["SessionToken"],
            }
        session: Any = _session()
        client = session.client(
            service,
            endpoint_url=self.server.endpoint_url,
            region_name=region or self.region,
            config=Config(retries={"total_max_attempts": 1}, read_timeout=20),
            **keys,
        )
        self._open.callback(client.close)
        return client

    def assume(self, role: str, *, account: str | None = None, **options: Any) -> dict[str, str]:
        """Return the credentials of a role."""
        answer = self("sts", account=account).assume_role(RoleArn=role, RoleSessionName="tests", **options)
        found: dict[str, str] = answer["Credentials"]
        return found


def refusal(call: Callable[..., object], **parameters: Any) -> tuple[int, str, str]:
    """Return status, code and message of the error that a call gets."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    response = caught.value.response
    error = response["Error"]
    return response["ResponseMetadata"]["HTTPStatusCode"], error["Code"], error.get("Message", "")
