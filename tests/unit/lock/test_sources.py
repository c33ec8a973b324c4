"""Files that requirements and locks are read from."""

from pathlib import Path

import pytest

from layerkit.index import IndexSettings
from layerkit.lock.failures import ExportError, UncoveredTargetError, UnknownSelectionError, UnreadableLockError
from layerkit.lock.foreign import MissingLockError
from layerkit.lock.obtain import is_lock
from layerkit.lock.selection import Selection
from layerkit.lock.sources import read_source, use_lock
from layerkit.model.target import PythonTarget, parse_target

PYLOCK = f"""
lock-version = "1.0"
created-by = "pip"
[[packages]]
name = "a"
version = "1.0"
wheels = [{{ url = "https://h/a-1.0-cp312-cp312-manylinux2014_x86_64.whl", hashes = {{ sha256 = "{"0" * 64}" }} }}]
[[packages]]
name = "b"
version = "2"
sdist = {{ url = "https://h.example/b-2.tar.gz", hashes = {{ sha256 = "{"1" * 64}" }} }}
"""


def target(text: str = "python3.12-x86_64") -> PythonTarget:
    found = parse_target(text)
    assert isinstance(found, PythonTarget)
    return found


@pytest.fixture
def pylock(tmp_path: Path) -> Path:
    path = tmp_path / "pylock.app.toml"
    path.write_text(PYLOCK, encoding="utf-8")
    return path


SETTINGS = IndexSettings(urls=())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pylock.toml", True),
        ("pylock.x-1.toml", True),
        ("uv.lock", True),
        ("pylock.a.b.toml", False),
        ("poetry.lock", False),
    ],
)
def test_locks_are_known_by_their_names(name: str, expected: bool) -> None:
    assert is_lock(Path("folder") / name) is expected


def test_a_pylock_of_any_tool_is_used_as_it_is(pylock: Path) -> None:
    lock = use_lock(pylock, target(), settings=SETTINGS)
    assert [(each.name, each.version, each.file.is_wheel) for each in lock.packages] == [
        ("a", "1.0", True),
        ("b", "2", False),
    ]


def test_another_lock_gives_another_digest(pylock: Path) -> None:
    before = use_lock(pylock, target(), settings=SETTINGS).inputs_digest
    pylock.write_text(PYLOCK.replace('"2"', '"2.0"'), encoding="utf-8")
    assert use_lock(pylock, target(), settings=SETTINGS).inputs_digest != before


def test_a_pylock_that_does_not_cover_the_target_says_for_which_package(pylock: Path) -> None:
    with pytest.raises(UncoveredTargetError) as caught:
        use_lock(pylock, target("python3.12-arm64"), settings=SETTINGS)
    assert caught.value.details == (
        "`a` 1.0 has no wheel for python3.12-arm64, only a-1.0-cp312-cp312-manylinux2014_x86_64.whl",
    )


def test_exclusions_leave_a_package_out_of_a_pylock(pylock: Path) -> None:
    lock = use_lock(pylock, target("python3.12-arm64"), settings=SETTINGS, selection=Selection(exclusions=("A",)))
    assert [each.name for each in lock.packages] == ["b"]


@pytest.mark.parametrize("text", ["not toml", 'lock-version = "2.0"\ncreated-by = "x"\npackages = []\n', "x = 1\n"])
def test_a_file_that_is_no_pylock_is_an_error(pylock: Path, text: str) -> None:
    pylock.write_text(text, encoding="utf-8")
    with pytest.raises(UnreadableLockError):
        use_lock(pylock, target(), settings=SETTINGS)


def test_a_missing_poetry_is_told_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "poetry.lock").write_text("", encoding="utf-8")
    with pytest.raises(ExportError) as caught:
        read_source(tmp_path / "poetry.lock", environ={"PATH": str(tmp_path)})
    assert "poetry-plugin-export" in (caught.value.hint or "")


def test_a_requirements_file_has_no_extras(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("a\n", encoding="utf-8")
    with pytest.raises(UnknownSelectionError):
        read_source(tmp_path / "requirements.txt", selection=Selection(extras=("x",)), environ={})
    assert read_source(tmp_path / "requirements.txt", environ={}).requirements == ("a",)


def test_a_pyproject_is_read_as_one(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = ["a"]\n', encoding="utf-8")
    assert read_source(tmp_path / "pyproject.toml", environ={}).requirements == ("a",)


@pytest.mark.parametrize("name", ["uv.lock", "pylock.toml"])
def test_a_lock_that_is_not_there_is_told_as_that(tmp_path: Path, name: str) -> None:
    with pytest.raises(MissingLockError, match="there is no file") as caught:
        use_lock(tmp_path / name, target(), settings=SETTINGS)
    assert caught.value.exit_code == 2
