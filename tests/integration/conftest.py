"""What tests that invoke functions share."""

from pathlib import Path

import pytest

from layerkit.invoke import space


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Share what runtimes bring themselves: it is fetched once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(params=["namespaces", "folders"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the function namespaces of its own, or not."""
    if request.param == "folders":
        monkeypatch.setattr(space, "namespaces", lambda: ())
    elif not space.namespaces():
        pytest.skip("needs a system that permits namespaces")
    return str(request.param)
