"""What a test may set: limits and behaviours that are AWS's unless it says otherwise."""

from dataclasses import dataclass, field

from tests.aws_server.throttle import Throttle


@dataclass(kw_only=True, slots=True)
class Switches:
    """Settings of the server; all may be changed while it runs. Sizes are in bytes, times in seconds."""

    latency: float = 0  # before every answer
    throttle: Throttle | None = field(default_factory=Throttle)
    download_seconds: float = 600  # how long a layer's or function's link works
    session_seconds: float | None = None  # how long a role's credentials work, whatever was asked for
    signing_seconds: float = 0  # how long a signing job is in progress
    refuses_architectures: set[str] = field(default_factory=set)  # regions
    unzipped_limit: int = 262_144_000
    direct_limit: int = 52_428_800
    request_limit: int = 70_167_211
    code_storage_limit: int = 300 * 1024**3
    policy_limit: int = 20_480
    smallest_part: int = 5 * 1024**2
