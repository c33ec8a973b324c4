"""What a handler gets: the request, who calls, where, and the state."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.aws_server import refusals
from tests.aws_server.arns import partition_of
from tests.aws_server.blobs import Blob
from tests.aws_server.iam import Caller
from tests.aws_server.state import Region, State
from tests.aws_server.switches import Switches
from tests.aws_server.wire import ApiError, Request


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """A call on its way through a handler. ``enabled`` are the regions that the caller's account has."""

    service: str
    request: Request
    arguments: Mapping[str, str]
    caller: Caller
    region: str
    state: State
    switches: Switches
    url: str
    enabled: tuple[str, ...]

    @property
    def account(self) -> str:
        return self.caller.account

    @property
    def here(self) -> Region:
        """What the caller's account holds in the region of the call."""
        return self.state.regions[self.account, self.region]

    @property
    def partition(self) -> str:
        return partition_of(self.region)

    def json(self) -> dict[str, Any]:
        return self.request.json()

    def authorize(self, action: str, resource: str) -> None:
        """Raise the service's refusal unless the caller's own policies allow ``action``."""
        reason = self.caller.verdict(action, resource, region=self.region)
        if reason:
            raise refusals.denied(self.service, caller=self.caller, action=action, resource=resource, reason=reason)

    def refuse(self, action: str, resource: str) -> ApiError:
        """Return the refusal of what is another account's."""
        reason = f"because no resource-based policy allows the {action} action"
        return refusals.denied(self.service, caller=self.caller, action=action, resource=resource, reason=reason)

    def link(self, blob: Blob, *, kind: str, name: str) -> str:
        """Return a URL from which anyone can download ``blob`` for some minutes, like one that is presigned."""
        token = self.state.link(blob, seconds=self.switches.download_seconds)
        seconds = int(self.switches.download_seconds)
        return (
            f"{self.url}/awslambda-{self.region}-{kind}/snapshots/{self.account}/{name}-{token[:8]}"
            f"?versionId={token[8:16]}&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires={seconds}"
            f"&X-Amz-Security-Token={token[:4] * 12}&X-Amz-SignedHeaders=host&X-Amz-Signature={token}"
        )
