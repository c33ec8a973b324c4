"""Sessions: credentials from a profile, from roles, or as they are; and services asked through them.

Endpoints come from ``AWS_ENDPOINT_URL`` and its kin, as in every tool that stands on botocore.
"""

import functools
import os
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from layerkit import __version__
from layerkit.aws.access import Access
from layerkit.aws.asking import Asking
from layerkit.aws.errors import AnswerIncomplete, NoRegion, SetupWrong
from layerkit.aws.rate import Rates
from layerkit.aws.roles import request_for, session_of, share_models
from layerkit.aws.translation import translated

if TYPE_CHECKING:
    import botocore.session
    from botocore.client import BaseClient
    from botocore.config import Config

_ATTEMPTS: Final = 6
_CONNECT_SECONDS: Final = 10
_READ_SECONDS: Final = 60
_UPLOAD_SECONDS: Final = 300  # Lambda unpacks what is uploaded before it answers
_POOL: Final = 32
_READS: Final = 3  # how often a truncated answer is asked for again
_FIRST_REGION: Final = "us-east-1"


class Service:
    """One AWS service in one region. Safe to share between threads."""

    def __init__(self, client: "BaseClient", *, name: str, asking: Asking, attempts: int) -> None:
        self._client = client
        self._name = name
        self._asking = asking
        self._attempts = attempts

    def __repr__(self) -> str:
        return f"<{self._name} in {self._asking.region}>"

    @property
    def client(self) -> Any:
        """Botocore's own client, for what takes one; what it raises is for ``translated``."""
        return self._client

    def call(self, operation: str, *, needs: str | None = None, **arguments: Any) -> Mapping[str, Any]:
        """Return the answer to an operation (``GetLayerVersion``).

        ``needs`` is a member that every whole answer has: botocore takes a truncated answer for one without members.
        Raises ``AwsError`` subclasses.
        """
        from botocore import xform_name

        asking = self.asking(operation, role=arguments.get("RoleArn"))
        for attempt in range(1, self._attempts + 1):
            try:
                with translated(asking):
                    answer: Mapping[str, Any] = getattr(self._client, xform_name(operation))(**arguments)
            except AnswerIncomplete:
                if attempt == self._attempts:
                    raise
            else:
                if needs is None or needs in answer:
                    return answer
        raise AnswerIncomplete(action=asking.action)

    def pages(self, operation: str, *, member: str, **arguments: Any) -> Iterator[Any]:
        """Yield the items of an answer that comes in pages, as Lambda's do."""
        marker: dict[str, str] = {}
        while True:
            answer = self.call(operation, needs=member, **arguments, **marker)
            yield from answer[member]
            if not answer.get("NextMarker"):
                return
            marker = {"Marker": answer["NextMarker"]}

    def asking(self, operation: str, *, role: str | None = None) -> Asking:
        """Return what is asked, for ``translated``."""
        known = self._asking
        return Asking(action=f"{self._name}:{operation}", region=known.region, profile=known.profile, role=role)

    def close(self) -> None:
        """Close its connections."""
        self._client.close()


class Session:
    """A way into an account, opened once and shared by threads."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._lock = threading.RLock()
        self._rates = Rates()
        self._services: dict[tuple[str, str, bool], Service] = {}
        self._raw: botocore.session.Session | None = None
        self._account: str | None = None

    def __repr__(self) -> str:
        return f"<session of {self.access}>"

    @property
    def region(self) -> str:
        """The region asked for, else that of the environment or the profile. Raises ``NoRegion``."""
        region = self._known_region()
        if region is None:
            raise NoRegion
        return region

    def account(self) -> str:
        """Return the number of the account that the credentials belong to; they are fetched if need be.

        A role's ARN tells it; else AWS is asked.
        """
        with self._lock:
            if self._account is None and self.access.chain:
                role = self.access.chain[-1]
                with translated(Asking(action="sts:AssumeRole", region=self.region, role=role)):
                    credentials = self._session().get_credentials()
                    if credentials is not None:
                        credentials.get_frozen_credentials()
                self._account = role.split(":")[4]
            if self._account is None:
                answer = self.service("sts").call("GetCallerIdentity", needs="Account")
                self._account = str(answer["Account"])
            return self._account

    def service(self, name: str, region: str | None = None, *, once: bool = False) -> Service:
        """Return a service; with ``once``, calls are never repeated by themselves."""
        region = region or self.region
        with self._lock:
            key = (name, region, once)
            if key not in self._services:
                asking = Asking(action=name, region=region, profile=self.access.profile)
                with translated(asking):
                    client = _client(self._session(), name, region=region, config=_config(once=once))
                client.meta.events.register("before-send", self._waiting_turn(name, region))
                self._services[key] = Service(client, name=name, asking=asking, attempts=1 if once else _READS)
            return self._services[key]

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            for service in self._services.values():
                service.close()
            self._services.clear()

    def _known_region(self) -> str | None:
        if self.access.region is not None:
            return self.access.region
        if os.environ.get("AWS_REGION"):
            return os.environ["AWS_REGION"]
        with translated(Asking(action="region", profile=self.access.profile)):
            found: str | None = self._plain().get_config_variable("region")
        return found or None

    def _waiting_turn(self, name: str, region: str) -> Any:
        """Return what waits before each attempt, botocore's own repetitions too."""

        def wait(event_name: str, **_: object) -> None:
            self._rates.take(name, region, event_name.rpartition(".")[2])

        return wait

    def _session(self) -> "botocore.session.Session":
        """Return the session behind the last role."""
        if self._raw is None:
            raw = self._plain()
            for at, role in enumerate(self.access.chain, start=1):
                request = request_for(role, self.access, is_last=at == len(self.access.chain))
                raw = session_of(functools.partial(self._assume, raw, request), profile=self.access.profile)
            self._raw = raw
        return self._raw

    def _plain(self) -> "botocore.session.Session":
        import botocore.session

        raw = botocore.session.Session(profile=self.access.profile)
        share_models(raw)
        return raw

    def _assume(self, before: "botocore.session.Session", request: Mapping[str, Any]) -> Any:
        region = self._known_region() or _FIRST_REGION
        asking = Asking(action="sts", region=region, profile=self.access.profile)
        with translated(asking):
            client = _client(before, "sts", region=region, config=_config(once=False))
        service = Service(client, name="sts", asking=asking, attempts=_READS)
        try:
            return service.call("AssumeRole", needs="Credentials", **request)["Credentials"]
        finally:
            service.close()


_sessions: Final[dict[Access, Session]] = {}
_sessions_lock: Final = threading.Lock()


def open_session(access: Access) -> Session:
    """Return the one session of a way into an account, so that all who use it share its rate and connections."""
    with _sessions_lock:
        return _sessions.setdefault(access, Session(access))


def close_sessions() -> None:
    """Close all sessions and forget them; the next ones look at the environment anew."""
    with _sessions_lock:
        for session in _sessions.values():
            session.close()
        _sessions.clear()


def _client(raw: "botocore.session.Session", name: str, *, region: str, config: "Config") -> "BaseClient":
    create: Any = raw.create_client
    try:
        client: BaseClient = create(name, region_name=region, config=config)
    except ValueError as exc:
        if type(exc) is not ValueError:
            raise
        raise SetupWrong(reason="the endpoint's URL (`AWS_ENDPOINT_URL`) is not a URL") from exc
    return client


def _config(*, once: bool) -> "Config":
    from botocore.config import Config

    retries: dict[str, Any] = {"mode": "standard", "total_max_attempts": _ATTEMPTS}
    if "AWS_MAX_ATTEMPTS" in os.environ:
        del retries["total_max_attempts"]
    if once:
        retries = {"mode": "standard", "total_max_attempts": 1}
    settings: dict[str, Any] = {
        "retries": retries,
        "connect_timeout": _CONNECT_SECONDS,
        "read_timeout": _UPLOAD_SECONDS if once else _READ_SECONDS,
        "max_pool_connections": _POOL,
        "user_agent_extra": f"layerkit/{__version__}",
    }
    return Config(**settings)
