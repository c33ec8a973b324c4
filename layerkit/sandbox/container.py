"""Containers, through the docker SDK, of which this is the only importer: Docker, Podman or whoever speaks their API.

No folder is ever shared: files come and go as tar streams, secrets through a program's standard input into memory. A
container lives as long as the connection that holds its own standard input, so it ends with layerkit, even with one
that is killed; besides, labels tell whose it is, and ``Engine.connect`` removes those whose owner is gone.
"""

import contextlib
import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, cast

from layerkit.progress import Progress, Silent
from layerkit.sandbox.container_api import NOT_FOUND, Api, Connection, doing, reason_of, remove, status_of
from layerkit.sandbox.container_box import Container
from layerkit.sandbox.container_errors import (
    BadCertificates,
    EmulationMissing,
    EngineError,
    EngineNotPermitted,
    EngineRefused,
    EngineTooOld,
    EngineUnreachable,
    NoEngine,
    NoSsh,
    WrongMachine,
)
from layerkit.sandbox.container_failures import from_refusal, root_of
from layerkit.sandbox.container_hosts import Endpoint, TlsFiles, endpoints
from layerkit.sandbox.container_owner import LABEL, Owner
from layerkit.sandbox.container_pull import follow, why_not
from layerkit.sandbox.container_spec import HOME, ContainerSpec, Image, creation
from layerkit.sandbox.container_tar import pack

if TYPE_CHECKING:
    from docker.tls import TLSConfig

__all__ = ["Container", "ContainerSpec", "Engine"]

_LEAST_API: Final = "1.41"  # Docker 20.10: a platform for new containers
_PATIENCE_AT_FIRST: Final = 10  # seconds
_PATIENCE: Final = 300  # seconds for an answer: a busy daemon takes its time to remove or copy
_STREAMS: Final = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}


@dataclass(frozen=True, kw_only=True, slots=True)
class Engine:
    """A container engine that answers. May be used from several threads; a context manager that closes connections."""

    api: Api = field(repr=False)
    endpoint: Endpoint
    title: str
    facts: Mapping[str, Any] = field(repr=False)  # what `docker info` says

    @classmethod
    def connect(cls, environ: Mapping[str, str], *, home: Path | None = None) -> Self:
        """Find the engine as docker's client does, and remove what killed runs left there. Raises ``EngineError``."""
        engine = cls._first(endpoints(environ, home or Path.home()))
        engine.reap()
        return engine

    @classmethod
    def _first(cls, places: tuple[Endpoint, ...]) -> Self:
        failure: EngineError | None = None
        for place in places:
            if not place.chosen and place.socket is not None and not place.socket.exists():
                continue
            try:
                return cls._at(place)
            except EngineError as exc:
                failure = failure or exc
        raise failure or NoEngine(tried=[place.url for place in places])

    @classmethod
    def _at(cls, place: Endpoint) -> Self:
        api = _client(place)
        try:
            with doing("asking what it is"):
                facts, version = api.info(), api.version()
        except EngineError:
            api.close()
            raise
        api.timeout = _PATIENCE
        title = f"{(version.get('Platform') or {}).get('Name') or 'Docker'} {version.get('Version', '')}".strip()
        return cls(api=api, endpoint=place, title=title, facts=facts)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def imitates(self, machine: str) -> bool:
        """Tell whether a container for ``machine`` is slow, because the engine's own machine is another one."""
        return self.facts.get("Architecture") not in {machine, None}

    def close(self) -> None:
        """Close the connections to the engine."""
        self.api.close()

    @contextlib.contextmanager
    def container(self, spec: ContainerSpec, *, progress: Progress | None = None) -> Iterator[Container]:
        """Start a container, pulling its image if need be, and remove it when the block ends. Raises ``EngineError``.

        Before anything is done in it, the container itself is asked what machine it is: images may be marked wrongly.
        """
        container = self._start(spec, self._image(spec, progress or Silent()))
        try:
            container.check_machine()
            yield container
        finally:
            container.close()

    def identity(self, spec: ContainerSpec, *, progress: Progress | None = None) -> str:
        """Return the digest of the spec's image as this engine knows it, pulling the image if need be."""
        return self._image(spec, progress or Silent()).identity

    def can_run(self, spec: ContainerSpec) -> bool:
        """Whether this engine runs programs of the spec's platform, tried with its image."""
        try:
            with self.container(spec):
                return True
        except (EmulationMissing, WrongMachine):
            return False

    def reap(self) -> int:
        """Remove the containers of this host's processes that are gone, and return how many those were."""
        count = 0
        with contextlib.suppress(EngineError), doing("looking for leftovers"):
            for found in self.api.containers(all=True, filters={"label": [LABEL, Owner.this().host_filter]}):
                owner = Owner.from_labels(found.get("Labels") or {})
                if owner is not None and owner.is_gone():
                    remove(self.api, found["Id"])
                    count += 1
        return count

    def _image(self, spec: ContainerSpec, progress: Progress) -> Image:
        found = self._local_image(spec.image)
        if found is None or not found.serves(spec.platform):
            self._pull(spec, progress)
            found = self._local_image(spec.image)
        if found is None:
            raise why_not("not found after it was pulled", image=spec.image, platform=spec.platform)
        return found

    def _local_image(self, name: str) -> Image | None:
        with doing(f"looking for image `{name}`"):
            try:
                return Image.from_inspect(name, self.api.inspect_image(name))
            except Exception as exc:
                if status_of(exc) == NOT_FOUND:
                    return None
                raise

    def _pull(self, spec: ContainerSpec, progress: Progress) -> None:
        from docker.errors import DockerException

        with doing(f"pulling image `{spec.image}`"):
            try:
                events = self.api.pull(spec.repository, spec.tag, stream=True, decode=True, platform=spec.platform)
                follow(events, image=spec.image, platform=spec.platform, progress=progress)
            except DockerException as exc:  # the engine says no, or a credential helper on this machine does not work
                reason = reason_of(exc) if status_of(exc) else f"unauthorized: {exc}"
                raise why_not(reason, image=spec.image, platform=spec.platform) from exc

    def _start(self, spec: ContainerSpec, image: Image) -> Container:
        try:
            return self._start_limited(spec, image, self.facts)
        except EngineRefused as exc:
            if "cgroup" not in exc.message:
                raise
            return self._start_limited(spec, image, {})  # an engine that promises limits and cannot keep them

    def _start_limited(self, spec: ContainerSpec, image: Image, facts: Mapping[str, Any]) -> Container:
        wanted = creation(spec, image, facts=facts, labels=Owner.this().labels)
        platform = spec.platform if image.is_marked(spec.platform) else None
        with _starting(spec, image):
            made = str(self.api.create_container_from_config(wanted.config, platform=platform)["Id"])
        lines = contextlib.ExitStack()
        try:
            with _starting(spec, image):
                line = lines.enter_context(contextlib.closing(Connection(self.api.attach_socket(made, _STREAMS))))
                with pack({}, at=HOME) as empty:
                    self.api.put_archive(made, "/", empty)
                self.api.start(made)
        except BaseException:
            lines.close()
            with contextlib.suppress(EngineError):
                remove(self.api, made)
            raise
        return Container(
            api=self.api,
            id=made,
            spec=spec,
            image=image,
            line=line,
            memory=wanted.memory,
            unlimited=wanted.unlimited,
        )


@contextlib.contextmanager
def _starting(spec: ContainerSpec, image: Image) -> Iterator[None]:
    with doing("starting a container"):
        try:
            yield
        except Exception as exc:
            if not status_of(exc):
                raise
            raise from_refusal(reason_of(exc), doing="starting a container", spec=spec, image=image) from exc


def _client(place: Endpoint) -> Api:
    from docker import APIClient
    from docker.errors import DockerException, InvalidVersion
    from docker.utils import version_lt

    if place.url.startswith("ssh://"):
        raise NoSsh(url=place.url, origin=place.origin)
    tls = _tls(place.tls, place) if place.tls else False
    try:
        if place.socket is not None:
            _knock(place.socket)
        api = APIClient(base_url=place.url, version="auto", timeout=_PATIENCE_AT_FIRST, tls=tls)
    except InvalidVersion as exc:
        raise EngineTooOld(url=place.url, version="before 1.24", needed=_LEAST_API) from exc
    except (DockerException, OSError, ValueError) as exc:
        root = root_of(exc)
        if isinstance(root, PermissionError):
            raise EngineNotPermitted(url=place.url) from exc
        raise EngineUnreachable(url=place.url, origin=place.origin, reason=str(root)) from exc
    if version_lt(api.api_version, _LEAST_API):
        api.close()
        raise EngineTooOld(url=place.url, version=api.api_version, needed=_LEAST_API)
    return cast("Api", api)


def _knock(path: Path) -> None:
    """Connect once and hang up; the SDK forgets to close a socket that it cannot connect."""
    if os.name == "posix":
        with socket.socket(socket.AF_UNIX) as attempt:
            attempt.settimeout(_PATIENCE_AT_FIRST)
            attempt.connect(os.fspath(path))


def _tls(files: TlsFiles, place: Endpoint) -> "TLSConfig":
    from docker.errors import TLSParameterError
    from docker.tls import TLSConfig

    pair = (str(files.certificate), str(files.key)) if files.certificate and files.key else None
    ca = str(files.ca) if files.ca else None
    try:
        return TLSConfig(client_cert=pair, ca_cert=ca, verify=(ca or True) if files.verify else False)
    except TLSParameterError as exc:
        raise BadCertificates(url=place.url, origin=place.origin, reason=str(exc).splitlines()[0]) from exc
