"""Popular packages, rightly built: an audit has nothing to warn of, for any of the runtimes and by whichever tool."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from tests.foreign.verdict import audit, layerkit
from tests.foreign.yard import UNTIL, Yard

pytestmark = pytest.mark.network

RUNTIMES: Final = ("python3.11", "python3.12", "python3.13")
POPULAR: Final[Mapping[str, tuple[str, ...]]] = {
    "requests": ("requests",),
    "pandas": ("pandas",),
    "pillow": ("pillow",),
    "cryptography": ("cryptography",),
    "lxml": ("lxml",),
    "psycopg2": ("psycopg2-binary",),
    "sqlalchemy": ("sqlalchemy",),
    "pydantic": ("pydantic",),
    "powertools": ("aws-lambda-powertools[parser]",),
    "fastapi": ("fastapi", "mangum"),
}
TRUE_AND_USEFUL: Final = {
    ("stack.shadows-runtime", "note"),  # urllib3 and others in place of the runtime's
    ("layout.leftover", "note"),  # tests and headers in wheels of pandas and numpy
}


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Yard:
    return Yard(tmp_path_factory.mktemp("popular"))


@pytest.fixture(scope="module", params=[*POPULAR])
def built(request: pytest.FixtureRequest, yard: Yard) -> str:
    """Build a layer for all the runtimes with layerkit."""
    name: str = request.param
    targets = [word for runtime in RUNTIMES for word in ("--runtime", runtime)]
    argv = ["build", *POPULAR[name], "--name", name, *targets, "--exclude-newer", UNTIL, "--quiet"]
    done = layerkit(*argv, "--out", "dist", cache=yard.root / "cache", folder=yard.root)
    assert done.returncode == 0, done.stderr
    return name


def surprises(layer: Path, *options: str, target: str, yard: Yard) -> list[Mapping[str, Any]]:
    verdict = audit(layer, *options, "--fail-on", "warning", cache=yard.root / "cache")
    assert verdict.targets == [target]
    found = [each for each in verdict.findings if (each["code"], each["severity"]) not in TRUE_AND_USEFUL]
    assert verdict.code == int(any(each["severity"] != "note" for each in found))
    return found


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_nothing_is_wrong_with_what_layerkit_builds(runtime: str, built: str, yard: Yard) -> None:
    """Its manifest says for which target it is."""
    layer = yard.root / "dist" / f"{built}-{runtime}-x86_64.zip"
    assert surprises(layer, target=f"{runtime}-x86_64", yard=yard) == []


@pytest.mark.parametrize("target", ["python3.11-x86_64", "python3.12-arm64", "python3.13-x86_64"])
@pytest.mark.parametrize("name", POPULAR)
def test_nothing_is_wrong_with_what_an_installer_leaves(name: str, target: str, yard: Yard) -> None:
    folder = yard.uv_target(f"{name}-{target}", *POPULAR[name], target=target)
    runtime, _, architecture = target.rpartition("-")
    assert surprises(folder, "--runtime", runtime, "--arch", architecture, target=target, yard=yard) == []
