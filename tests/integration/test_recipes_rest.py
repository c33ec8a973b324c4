"""What the catalogue says of recipes is what a build makes."""

import json
import re
from pathlib import Path
from typing import Final

import pytest

from layerkit.model.limits import format_size
from tests.workbench import call

pytestmark = pytest.mark.network

ROOT: Final = Path(__file__).parents[2]
RECIPES: Final = ROOT / "recipes"


def test_the_sizes_in_the_catalogue_and_the_readme_are_those_of_the_layers(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one light recipe, for all its targets; the others are measured in the same way by ``docs/catalogue.py``."""
    monkeypatch.setenv("LAYERKIT_CACHE_DIR", str(tmp_path / "cache"))
    assert call("build", RECIPES / "requests", "--locked", "--json", "--quiet", "--out", tmp_path / "dist") == 0
    layers = json.loads(capfd.readouterr().out)["layers"]
    assert len(layers) == 6
    rows = [
        f"| {layer['compatible_runtimes'][0]} {layer['compatible_architectures'][0]}"
        f" | {format_size(layer['unzipped_bytes'])} | {format_size(layer['zipped_bytes'])} |\n"
        for layer in layers
    ]
    assert "".join(rows) in (RECIPES / "requests" / "README.md").read_text(encoding="utf-8")
    catalogue = (ROOT / "docs" / "catalogue.md").read_text(encoding="utf-8")
    unzipped = [format_size(layer["unzipped_bytes"]) for layer in layers]
    assert f"| requests | {' | '.join(unzipped)} |" in catalogue
    [row] = re.findall(r"^\| \[requests\].*$", catalogue, re.MULTILINE)
    largest = max(layer["unzipped_bytes"] for layer in layers)
    zipped = max(layer["zipped_bytes"] for layer in layers)
    assert row.endswith(f"| {format_size(largest)} | {largest / 262_144_000:.0%} | {format_size(zipped)} |")
