"""The server as tests see it: started and stopped, seeded, asked what it holds, told what shall go wrong."""

import os
import threading
from collections.abc import Mapping, Sequence
from typing import Self

from tests.aws_server.arns import partition_of
from tests.aws_server.calls import Call
from tests.aws_server.credentials import key_of, secret_of
from tests.aws_server.endpoint import Endpoint
from tests.aws_server.exchange import Exchange
from tests.aws_server.faults import FaultPlan
from tests.aws_server.seeds import Seeds
from tests.aws_server.state import Bucket, Function, LayerVersion, Parameter, State
from tests.aws_server.switches import Switches

REGIONS = ("us-east-1", "eu-west-1", "eu-central-1", "ap-southeast-2")


class AwsServer(Seeds):
    """A part of AWS on this machine; a context manager.

    Each of ``accounts`` has keys of its own that may do everything; ``partitions`` says which are not in ``aws``. Every
    account has every one of ``regions`` that is in its partition. ``latency`` is in seconds, before every answer;
    ``throttle`` false takes calls at any rate.
    """

    def __init__(
        self,
        *,
        accounts: Sequence[str] = ("111111111111",),
        regions: Sequence[str] = REGIONS,
        partitions: Mapping[str, str] | None = None,
        latency: float = 0,
        throttle: bool = True,
    ) -> None:
        homes = {account: (partitions or {}).get(account, "aws") for account in accounts}
        enabled = {
            account: tuple(region for region in regions if partition_of(region) == partition)
            for account, partition in homes.items()
        }
        self._exchange = Exchange(accounts=homes, enabled=enabled)
        self.switches.latency = latency
        if not throttle:
            self.switches.throttle = None
        self._endpoint = Endpoint(self._exchange)
        self._exchange.url = self._endpoint.url
        self._thread = threading.Thread(
            target=self._endpoint.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._exchange.closing.set()
        self._endpoint.shutdown()
        self._endpoint.server_close()
        self._thread.join()

    # What it is

    @property
    def endpoint_url(self) -> str:
        return self._endpoint.url

    @property
    def state(self) -> State:
        return self._exchange.state

    @property
    def switches(self) -> Switches:
        """Limits, latency, throttle and the like; may be changed at any time."""
        return self._exchange.switches

    @property
    def faults(self) -> FaultPlan:
        return self._exchange.faults

    def disable_region(self, account: str, region: str) -> None:
        """Let an account lose a region, as if it had never opted in."""
        enabled = self._exchange.enabled
        enabled[account] = tuple(one for one in enabled[account] if one != region)

    def environment(self, account: str, *, region: str | None = None) -> dict[str, str]:
        """Return the variables under which a program finds this server and nothing else of AWS's."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            **self.keys(account),
            "AWS_REGION": region or self._exchange.enabled[account][0],
            "AWS_DEFAULT_REGION": region or self._exchange.enabled[account][0],
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def keys(self, account: str) -> dict[str, str]:
        """Return the account's own keys, as environment variables."""
        return {"AWS_ACCESS_KEY_ID": key_of(account), "AWS_SECRET_ACCESS_KEY": secret_of(account)}

    # What happened

    @property
    def calls(self) -> list[Call]:
        """The calls so far, in the order in which they ended."""
        return list(self._exchange.calls)

    def calls_of(self, operation: str, **wanted: object) -> list[Call]:
        """Return the calls of an operation, and of ``account=``, ``region=``, ``status=`` and so on."""
        return [
            call
            for call in self.calls
            if call.operation == operation and all(getattr(call, name) == value for name, value in wanted.items())
        ]

    def forget_calls(self) -> None:
        self._exchange.calls.clear()

    # What it holds

    def layers(self, account: str, region: str) -> dict[str, list[LayerVersion]]:
        """Return the versions of each layer, oldest first; a layer without any is left out."""
        with self.state.lock:
            layers = self.region(account, region).layers
            return {name: layer.newest_first[::-1] for name, layer in layers.items() if layer.versions}

    def functions(self, account: str, region: str) -> dict[str, Function]:
        return dict(self.region(account, region).functions)

    def parameters(self, account: str, region: str) -> dict[str, Parameter]:
        return dict(self.region(account, region).parameters)

    def bucket(self, name: str) -> Bucket:
        return self.state.buckets[name]
