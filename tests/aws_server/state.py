"""Everything that the server holds, by account and region. Values of tests; handlers change them under the lock."""

import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.aws_server.arns import LayerAddress, function_arn, partition_of
from tests.aws_server.blobs import Blob
from tests.aws_server.iam import Role, Session


@dataclass(kw_only=True, slots=True)
class LayerVersion:
    """A version of a layer. ``policy`` is statements by their id."""

    address: LayerAddress
    number: int
    code: Blob
    description: str = ""
    runtimes: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    license: str | None = None
    created: str = ""
    policy: dict[str, dict[str, Any]] = field(default_factory=dict)
    revision: str = ""
    signing_job: str | None = None
    signing_profile: str | None = None
    resolved_object: dict[str, str] | None = None

    @property
    def arn(self) -> str:
        return self.address.version_arn(self.number)


@dataclass(kw_only=True, slots=True)
class Layer:
    """A layer; ``last`` is the highest number ever given."""

    address: LayerAddress
    last: int = 0
    versions: dict[int, LayerVersion] = field(default_factory=dict)

    @property
    def newest_first(self) -> list[LayerVersion]:
        return [self.versions[number] for number in sorted(self.versions, reverse=True)]


@dataclass(kw_only=True, slots=True)
class LayerReference:
    """A layer as a function refers to it; stays when the version is deleted."""

    arn: str
    code_size: int
    unzipped: int


@dataclass(kw_only=True, slots=True)
class Function:
    """A function, or one of its ``published`` versions; ``code`` is ``None`` for an image."""

    account: str
    region: str
    name: str
    code: Blob | None
    settings: dict[str, Any]
    layers: list[LayerReference] = field(default_factory=list)
    modified: str = ""
    revision: str = ""
    version: str = "$LATEST"
    published: list["Function"] = field(default_factory=list)

    @property
    def arn(self) -> str:
        return function_arn(account=self.account, region=self.region, name=self.name)


@dataclass(kw_only=True, slots=True)
class Parameter:
    """An SSM parameter."""

    name: str
    value: str
    kind: str
    version: int = 1
    modified: float = 0
    description: str = ""
    tier: str = "Standard"
    data_type: str = "text"
    history: dict[int, str] = field(default_factory=dict)


@dataclass(kw_only=True, slots=True)
class SigningProfile:
    """A profile of AWS Signer."""

    account: str
    region: str
    name: str
    version: str
    platform: str = "AWSLambda-SHA384-ECDSA"
    status: str = "Active"

    @property
    def arn(self) -> str:
        return f"arn:{partition_of(self.region)}:signer:{self.region}:{self.account}:/signing-profiles/{self.name}"

    @property
    def version_arn(self) -> str:
        return f"{self.arn}/{self.version}"


@dataclass(kw_only=True, slots=True)
class Region:
    """What an account holds in a region."""

    layers: dict[str, Layer] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    parameters: dict[str, Parameter] = field(default_factory=dict)
    profiles: dict[str, SigningProfile] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(kw_only=True, slots=True)
class StoredObject:
    """A version of an object; ``checksums`` are base64 by algorithm, ``marker`` is a deletion."""

    key: str
    blob: Blob
    version: str
    etag: str
    modified: float
    checksums: dict[str, str] = field(default_factory=dict)
    checksum_type: str = "FULL_OBJECT"
    metadata: dict[str, str] = field(default_factory=dict)
    content_type: str = "binary/octet-stream"
    marker: bool = False
    parts: int = 0


@dataclass(kw_only=True, slots=True)
class Upload:
    """A multipart upload under way."""

    bucket: str
    key: str
    algorithm: str | None
    checksum_type: str
    headers: dict[str, str]
    parts: dict[int, Blob] = field(default_factory=dict)


@dataclass(kw_only=True, slots=True)
class Bucket:
    """A bucket; ``settings`` are XML documents by subresource; ``readers`` and ``writers`` are accounts let in."""

    name: str
    account: str
    region: str
    versioning: str | None = None
    objects: dict[str, list[StoredObject]] = field(default_factory=dict)
    settings: dict[str, bytes] = field(default_factory=dict)
    readers: set[str] = field(default_factory=set)
    writers: set[str] = field(default_factory=set)


@dataclass(kw_only=True, slots=True)
class Download:
    """A link to a content; ``expires`` is in seconds of the epoch."""

    blob: Blob
    expires: float


@dataclass(kw_only=True)
class State:
    """All of it. ``wall`` is the time of day; ``lock`` guards every change."""

    regions: defaultdict[tuple[str, str], Region] = field(default_factory=lambda: defaultdict(Region))
    roles: dict[str, Role] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    buckets: dict[str, Bucket] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    downloads: dict[str, Download] = field(default_factory=dict)
    organizations: dict[str, str] = field(default_factory=dict)  # by account
    signatures: dict[bytes, tuple[str, str]] = field(default_factory=dict)  # job and profile, by the zip's hash
    lock: threading.RLock = field(default_factory=threading.RLock)
    wall: Callable[[], float] = time.time

    def layer_version(self, address: LayerAddress, number: int) -> LayerVersion | None:
        layer = self.regions[address.account, address.region].layers.get(address.name)
        return layer.versions.get(number) if layer else None

    def add_version(self, address: LayerAddress, code: Blob, **details: Any) -> LayerVersion:
        """Give ``code`` the layer's next number."""
        with self.lock:
            layers = self.regions[address.account, address.region].layers
            layer = layers.setdefault(address.name, Layer(address=address))
            layer.last += 1
            version = LayerVersion(address=address, number=layer.last, code=code, created=self.timestamp(), **details)
            layer.versions[layer.last] = version
            return version

    def link(self, blob: Blob, *, seconds: float) -> str:
        """Return a token under which ``blob`` can be downloaded for that long."""
        token = secrets.token_hex(16)
        with self.lock:
            self.downloads[token] = Download(blob=blob, expires=self.wall() + seconds)
        return token

    def timestamp(self) -> str:
        """Return the time as Lambda writes it."""
        now = self.wall()
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03d}+0000"
