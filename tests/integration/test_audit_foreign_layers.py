"""Layers that others made: an audit finds what is wrong with each of them, all of it, and nothing else."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.foreign import layers
from tests.foreign.verdict import Said, Verdict, audit, error, layerkit, note, warning
from tests.foreign.yard import Yard

pytestmark = [pytest.mark.network, pytest.mark.interpreter]

TESTS: Final = note("layout.leftover", "tests of packages", "`numpy`")
STUBS: Final = note("layout.leftover", "type stubs, headers and sources", "`numpy`")


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Yard:
    return Yard(tmp_path_factory.mktemp("foreign"))


@pytest.fixture
def find(yard: Yard) -> Callable[..., Verdict]:
    """Audit layers of the yard."""

    def find(*argv: str | Path) -> Verdict:
        return audit(*argv, cache=yard.root / "cache")

    return find


class TestRight:
    """Nothing is wrong with these."""

    def test_pip_into_a_folder_zipped(self, yard: Yard, find: Callable[..., Verdict]) -> None:
        verdict = find(layers.by_pip(yard))
        assert verdict.targets == ["python3.12-x86_64"]
        assert (verdict.code, verdict.findings) == (0, [])

    def test_what_sam_builds(self, yard: Yard, find: Callable[..., Verdict]) -> None:
        verdict = find(layers.by_sam(yard))
        assert verdict.targets == ["python3.12-x86_64"]
        assert (verdict.code, verdict.findings) == (0, [])
