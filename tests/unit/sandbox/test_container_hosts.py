"""Where an engine is looked for."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from layerkit.sandbox.container_errors import BadContext
from layerkit.sandbox.container_hosts import endpoints


def write_context(settings: Path, name: str, *, host: str, skip: bool = False) -> Path:
    identifier = hashlib.sha256(name.encode()).hexdigest()
    meta = settings / "contexts" / "meta" / identifier
    meta.mkdir(parents=True)
    docker = {"Host": host, "SkipTLSVerify": skip}
    (meta / "meta.json").write_text(json.dumps({"Name": name, "Endpoints": {"docker": docker}}), encoding="utf-8")
    return settings / "contexts" / "tls" / identifier / "docker"


def use(settings: Path, name: str) -> None:
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "config.json").write_text(json.dumps({"currentContext": name}), encoding="utf-8")


def test_docker_host_is_the_only_place_whatever_the_context(tmp_path: Path) -> None:
    use(tmp_path / ".docker", "other")
    (place,) = endpoints({"DOCKER_HOST": "tcp://builder:2375", "DOCKER_CONTEXT": "other"}, tmp_path)
    assert (place.url, place.origin, place.chosen, place.tls) == ("tcp://builder:2375", "DOCKER_HOST", True, None)


def test_tls_is_read_from_docker_cert_path(tmp_path: Path) -> None:
    for name in ("ca", "cert", "key"):
        (tmp_path / f"{name}.pem").touch()
    environ = {"DOCKER_HOST": "tcp://b:2376", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tmp_path)}
    (place,) = endpoints(environ, tmp_path / "home")
    assert place.tls is not None
    assert (place.tls.ca, place.tls.key, place.tls.verify) == (tmp_path / "ca.pem", tmp_path / "key.pem", True)


def test_an_empty_docker_host_is_none(tmp_path: Path) -> None:
    assert len(endpoints({"DOCKER_HOST": ""}, tmp_path)) > 1


def test_the_current_context_is_chosen(tmp_path: Path) -> None:
    settings = tmp_path / ".docker"
    write_context(settings, "colima", host="unix:///colima.sock")
    use(settings, "colima")
    (place,) = endpoints({}, tmp_path)
    assert (place.url, place.origin, place.chosen) == ("unix:///colima.sock", "docker context `colima`", True)


def test_docker_context_beats_the_current_one_and_docker_config_moves_both(tmp_path: Path) -> None:
    settings = tmp_path / "elsewhere"
    use(settings, "one")
    tls = write_context(settings, "two", host="tcp://two:2376", skip=True)
    tls.mkdir(parents=True)
    (tls / "ca.pem").touch()
    (place,) = endpoints({"DOCKER_CONFIG": str(settings), "DOCKER_CONTEXT": "two"}, tmp_path)
    assert place.url == "tcp://two:2376"
    assert place.tls is not None
    assert (place.tls.ca, place.tls.certificate, place.tls.verify) == (tls / "ca.pem", None, False)


@pytest.mark.parametrize("meta", [None, "", "[]", "{}", '{"Endpoints": {"docker": {}}}', '{"Endpoints": []}'])
def test_a_context_that_cannot_be_read_is_named(tmp_path: Path, meta: str | None) -> None:
    if meta is not None:
        write_context(tmp_path / ".docker", "broken", host="x")
        identifier = hashlib.sha256(b"broken").hexdigest()
        (tmp_path / ".docker/contexts/meta" / identifier / "meta.json").write_text(meta, encoding="utf-8")
    with pytest.raises(BadContext, match="`broken`"):
        endpoints({"DOCKER_CONTEXT": "broken"}, tmp_path)


@pytest.mark.parametrize(
    "config", ["", "nonsense", "[]", "{}", '{"currentContext": 3}', '{"currentContext": "default"}']
)
@pytest.mark.skipif(os.name == "nt", reason="sockets are named otherwise")
def test_without_a_choice_the_usual_sockets_are_tried_dockers_first(tmp_path: Path, config: str) -> None:
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker/config.json").write_text(config, encoding="utf-8")
    places = endpoints({"XDG_RUNTIME_DIR": "/run/user/5"}, tmp_path)
    urls = [place.url for place in places]
    assert urls[0] == "unix:///var/run/docker.sock"
    expected = {
        "/run/user/5/podman/podman.sock",
        "/run/podman/podman.sock",
        f"{tmp_path}/.colima/default/docker.sock",
        f"{tmp_path}/.rd/docker.sock",
        f"{tmp_path}/.orbstack/run/docker.sock",
        f"{tmp_path}/.docker/run/docker.sock",
    }
    assert expected <= {url.removeprefix("unix://") for url in urls}
    assert not any(place.chosen for place in places)
