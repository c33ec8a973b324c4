"""The catalogue of recipes: current, and what it notices where it is not."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

from layerkit.model.lock import Lock, LockedFile, LockedPackage

SCRIPT: Final = Path(__file__).parents[2] / "docs" / "catalogue.py"
MIB: Final = 1_048_576
TARGETS: Final = [(f"python3.{minor}", system) for minor in (12, 13, 14) for system in ("x86_64", "arm64")]


@pytest.fixture(name="catalogue")
def load_catalogue(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_catalogue", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)  # dataclasses look there
    spec.loader.exec_module(module)
    return module


@pytest.fixture(name="shelf")
def small_catalogue(catalogue: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the catalogue be of two recipes, one alone and one in a group, all measured and written."""
    recipes = tmp_path / "recipes"
    (recipes / "web").mkdir(parents=True)
    (recipes / "web" / "README.md").write_text("# web\n\nIt speaks HTTP.\n", encoding="utf-8")
    write_recipe(recipes / "web", 'requirements = ["Http_Client[fast]>=1"]', targets=TARGETS)
    (recipes / "pair" / "first").mkdir(parents=True)
    (recipes / "pair" / "README.md").write_text("# pair\n\n## Sizes\n\n| old |\n\nThe end.\n", encoding="utf-8")
    for name in ("first", "second"):
        (recipes / "pair" / name).mkdir(exist_ok=True)
        files = '[[files]]\nsource = "recipe.toml"\ntarget = "it"'
        write_recipe(recipes / "pair" / name, "", targets=[("provided.al2023", "arm64")], more=files)
    monkeypatch.setattr(catalogue, "RECIPES", recipes)
    monkeypatch.setattr(catalogue, "PAGE", tmp_path / "catalogue.md")
    monkeypatch.setattr(catalogue, "MEASURED", tmp_path / "catalogue.json")
    measure_and_write(catalogue)
    return recipes


def write_recipe(folder: Path, requirements: str, *, targets: list[tuple[str, str]], more: str = "") -> None:
    runtimes, systems = ([*dict.fromkeys(each)] for each in zip(*targets, strict=True))
    lines = [f'[layer]\nname = "{folder.name}"\ndescription = "For {folder.name}"', requirements]
    lines += [f"runtimes = {json.dumps(runtimes)}", f"architectures = {json.dumps(systems)}", more]
    (folder / "recipe.toml").write_text("\n".join(lines), encoding="utf-8")
    for runtime, system in targets if requirements else ():
        write_lock(folder, runtime, system, version="1.0" if runtime == "python3.12" else "2.0")


def write_lock(folder: Path, runtime: str, system: str, *, version: str) -> None:
    path = folder / f"pylock.{folder.name}-{runtime.replace('python3.', 'py3')}-{system}.toml"
    file = LockedFile(name="a.whl", url="https://host/a.whl", path=None, size=1, sha256="0" * 64)
    packages = [LockedPackage(name="http-client", version=version, file=file)]
    packages += [LockedPackage(name="idna", version="3", file=file)]
    lock = Lock(target=f"{runtime}-{system}", requires_python=">=3", inputs={}, packages=tuple(packages))
    path.write_text(lock.to_toml(), encoding="utf-8")


def measure_and_write(catalogue: ModuleType) -> None:
    """Make up sizes for the layers as their locks are now: the first has 10 MiB, each next one a MiB more."""
    layers = [layer for entry in catalogue.entries() for layer in entry.layers]
    small = [layer for layer in layers if not layer.versions]
    noted = {each.file_name: _sizes(each.made_from, 100, 2000) for each in small}
    for place, each in enumerate(layer for layer in layers if layer.versions):
        noted[each.file_name] = _sizes(each.made_from, (10 + place) * MIB, 3 * MIB)
    catalogue.MEASURED.write_text(json.dumps(noted), encoding="utf-8")
    for path, text in catalogue.pages().items():
        path.write_text(text, encoding="utf-8")


def _sizes(made_from: str, unzipped: int, zipped: int) -> dict[str, object]:
    return {"made_from": made_from, "unzipped_bytes": unzipped, "zipped_bytes": zipped}


def test_the_catalogue_of_this_repository_is_current(catalogue: ModuleType) -> None:
    """``python docs/catalogue.py`` measures and writes it."""
    assert [*catalogue.problems()] == []


@pytest.mark.usefixtures("shelf")
def test_a_page_lists_recipes_with_versions_and_largest_sizes(catalogue: ModuleType) -> None:
    text = catalogue.PAGE.read_text(encoding="utf-8")
    assert "| [web](../recipes/web) | For web | http-client 1.0 or 2.0 | 15.0 MiB | 6% | 3.0 MiB |\n" in text
    assert "| [pair/first](../recipes/pair/first) | For first |  | 100 bytes | <1% | 2.0 KiB |\n" in text
    assert "| web | 10.0 MiB | 11.0 MiB | 12.0 MiB | 13.0 MiB | 14.0 MiB | 15.0 MiB |\n" in text
    assert "| Recipe | provided.al2023 arm64 |\n| --- | --- |\n| pair/first | 100 bytes |\n" in text
    assert "Not for" not in text
    assert [*catalogue.problems()] == []


def test_readmes_have_the_sizes_in_place_of_older_ones_or_at_the_end(shelf: Path) -> None:
    own = (shelf / "web" / "README.md").read_text(encoding="utf-8")
    sizes = "## Sizes\n\nWith the versions of its locks (http-client 1.0 or 2.0, idna 3):\n\n| Target |"
    assert own.startswith(f"# web\n\nIt speaks HTTP.\n\n{sizes}")
    assert own.endswith("| python3.14 arm64 | 15.0 MiB | 3.0 MiB |\n")
    shared = (shelf / "pair" / "README.md").read_text(encoding="utf-8")
    assert shared.startswith("# pair\n\n## Sizes\n\n| Target | Unzipped | Zipped |\n| --- | --- | --- |\n| first, prov")
    assert shared.endswith("| second, provided.al2023 arm64 | 100 bytes | 2.0 KiB |\n\nThe end.\n")
    assert "old" not in shared


def test_another_lock_makes_what_was_measured_and_the_pages_old(catalogue: ModuleType, shelf: Path) -> None:
    write_lock(shelf / "web", "python3.13", "arm64", version="2.1")
    assert [*catalogue.problems()] == [
        "recipes/web was not measured as it is now",
        "catalogue.md is not current",
        "recipes/web/README.md is not current",
    ]
    measure_and_write(catalogue)
    assert [*catalogue.problems()] == []
    assert "http-client 1.0 or 2.0 or 2.1" in catalogue.PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "change", "measured"),
    [
        ("web", '[prune]\ndrop = ["*.pyi"]\n', False),
        ("web", '[example]\nimports = ["http_client"]\n', True),
        ("pair/first", "# its own file is what this layer holds\n", False),
    ],
)
def test_what_shapes_a_layer_makes_what_was_measured_old(
    name: str, change: str, measured: bool, catalogue: ModuleType, shelf: Path
) -> None:
    path = shelf / name / "recipe.toml"
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{change}", encoding="utf-8")
    assert (f"recipes/{name} was not measured as it is now" not in catalogue.problems()) == measured


def test_a_recipe_that_is_new_and_a_page_that_was_edited_are_noticed(catalogue: ModuleType, shelf: Path) -> None:
    (shelf / "new").mkdir()
    write_recipe(shelf / "new", 'requirements = ["new"]', targets=TARGETS)
    page = shelf / "web" / "README.md"
    page.write_text(page.read_text(encoding="utf-8").replace("15.0 MiB", "1.5 MiB"), encoding="utf-8")
    assert [*catalogue.problems()] == [
        "recipes/new was not measured as it is now",
        "catalogue.md is not current",
        "recipes/web/README.md is not current",
    ]


def test_a_recipe_tells_why_it_is_not_for_a_target(catalogue: ModuleType, shelf: Path) -> None:
    path = shelf / "web" / "recipe.toml"
    text = path.read_text(encoding="utf-8").replace('["x86_64", "arm64"]', '["x86_64"]')
    path.write_text(text, encoding="utf-8")
    measure_and_write(catalogue)
    missing = "python3.12 arm64, python3.13 arm64, python3.14 arm64"
    assert [*catalogue.problems()] == [f"recipes/web has no comment on why it is not for {missing}"]
    path.write_text(text.replace("architectures", "# no wheels\n# at all\narchitectures"), encoding="utf-8")
    measure_and_write(catalogue)
    assert [*catalogue.problems()] == []
    assert f"| web | {missing} | no wheels at all |\n" in catalogue.PAGE.read_text(encoding="utf-8")
    path.write_text(text.replace('["x86_64"]', '["x86_64"] # since spring'), encoding="utf-8")
    measure_and_write(catalogue)
    assert f"| web | {missing} | since spring |\n" in catalogue.PAGE.read_text(encoding="utf-8")


def test_check_names_what_is_not_current(
    catalogue: ModuleType, shelf: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["catalogue.py", "--check"])
    assert catalogue.main() == 0
    (shelf / "web" / "README.md").write_text("# web\n", encoding="utf-8")
    assert catalogue.main() == 1
    assert capsys.readouterr().out == "recipes/web/README.md is not current\n"
