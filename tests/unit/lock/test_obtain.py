"""When a lock is used, refused or written anew; nothing here resolves."""

from pathlib import Path
from typing import Any

import pytest

from layerkit.index import IndexSettings
from layerkit.lock import resolve as resolving
from layerkit.lock.failures import BrokenLockError, ForeignLockFileError, StaleLockError
from layerkit.lock.inputs import LockRequest, inputs_of
from layerkit.lock.obtain import ContradictingModeError, LockMode, is_current, lock_file_name, obtain, state_of
from layerkit.lock.resolve import Resolved
from layerkit.model.lock import Lock, LockedFile, LockedPackage
from layerkit.model.target import PythonTarget, parse_target

SETTINGS = IndexSettings(urls=("https://pypi.org/simple",))
REQUEST = LockRequest(requirements=("a",))
PACKAGE = LockedPackage(
    name="a",
    version="1",
    file=LockedFile(
        name="a-1-py3-none-any.whl", url="https://h.example/a-1-py3-none-any.whl", path=None, size=1, sha256="0" * 64
    ),
)


def target() -> PythonTarget:
    found = parse_target("python3.13-x86_64")
    assert isinstance(found, PythonTarget)
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / lock_file_name("app", target())


@pytest.fixture
def current(path: Path) -> Path:
    lock = Lock(
        target=target().identifier,
        requires_python=">=3.13.0",
        inputs=inputs_of(REQUEST, target(), SETTINGS),
        packages=(PACKAGE,),
    )
    path.write_text(lock.to_toml(), encoding="utf-8")
    return path


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[resolving.Keeping]:
    """Take the place of the resolver and note what it is asked to keep."""
    calls: list[resolving.Keeping] = []

    def resolve(*_: object, keeping: resolving.Keeping, **__: object) -> Resolved:
        calls.append(keeping)
        return Resolved(requires_python=">=3.13", packages=())

    monkeypatch.setattr(resolving, "resolve", resolve)
    return calls


def get(path: Path, request: LockRequest = REQUEST, **mode: object) -> Lock:
    return obtain(request, target(), path=path, settings=SETTINGS, mode=LockMode(**mode))  # type: ignore[arg-type]


def test_the_name_has_no_dots_in_the_middle() -> None:
    assert lock_file_name("my.app", target()) == "pylock.my-app-py313-x86_64.toml"


def test_a_current_lock_is_used_without_resolving(current: Path, asked: list[resolving.Keeping]) -> None:
    assert get(current).packages == (PACKAGE,)
    assert get(current, locked=True).packages == (PACKAGE,)
    assert not asked


def test_a_missing_lock_is_resolved_and_written(path: Path, asked: list[resolving.Keeping]) -> None:
    assert get(path) == Lock.from_toml(path.read_text(encoding="utf-8"))
    assert [each.previous for each in asked] == [None]


def test_a_stale_lock_is_refreshed_and_its_versions_preferred(current: Path, asked: list[resolving.Keeping]) -> None:
    before = current.read_text(encoding="utf-8")
    get(current, LockRequest(requirements=("a", "b")))
    assert [each.previous for each in asked] == [before]
    assert is_current(LockRequest(requirements=("a", "b")), target(), path=current, settings=SETTINGS)


def test_an_upgrade_resolves_anew_and_prefers_nothing(current: Path, asked: list[resolving.Keeping]) -> None:
    get(current, upgrade=True)
    assert [(each.previous, each.refresh) for each in asked] == [(None, True)]


def test_an_upgrade_of_one_package_keeps_the_others(current: Path, asked: list[resolving.Keeping]) -> None:
    get(current, upgrade_packages=("A_b",))
    assert [(each.previous is not None, each.upgrades) for each in asked] == [(True, ("a-b",))]


def test_locked_refuses_a_stale_lock_and_says_what_changed(current: Path) -> None:
    with pytest.raises(StaleLockError) as caught:
        get(current, LockRequest(requirements=("b",)), locked=True, command="layerkit lock recipes/app")
    assert "`requirements` changed" in caught.value.message
    assert (caught.value.exit_code, caught.value.hint) == (3, "refresh it with `layerkit lock recipes/app`")


def test_locked_refuses_a_missing_lock(path: Path) -> None:
    with pytest.raises(StaleLockError, match="there is no lock"):
        get(path, locked=True)


@pytest.mark.parametrize(
    "text", ['lock-version = "1.0"\ncreated-by = "uv"\npackages = []\n', "my notes\n", "x = 1\n", "\x00"]
)
@pytest.mark.parametrize("upgrade", [False, True])
def test_a_file_of_somebody_else_is_never_overwritten(
    path: Path, text: str, upgrade: bool, asked: list[resolving.Keeping]
) -> None:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ForeignLockFileError):
        get(path, upgrade=upgrade)
    assert (path.read_text(encoding="utf-8"), asked) == (text, [])


def test_a_damaged_lock_of_our_own_is_an_error_and_upgrade_mends_it(
    current: Path, asked: list[resolving.Keeping]
) -> None:
    current.write_text(current.read_text(encoding="utf-8") + "<<<<<<< HEAD\n", encoding="utf-8")
    with pytest.raises(BrokenLockError):
        get(current)
    get(current, upgrade=True)
    assert (is_current(REQUEST, target(), path=current, settings=SETTINGS), len(asked)) == (True, 1)


def test_a_missing_lock_is_not_current(path: Path) -> None:
    assert not is_current(REQUEST, target(), path=path, settings=SETTINGS)


def told(path: Path, request: LockRequest = REQUEST, **mode: Any) -> list[str]:
    lines: list[str] = []
    obtain(request, target(), path=path, settings=SETTINGS, mode=LockMode(tell=lines.append, **mode))
    return lines


def answering(monkeypatch: pytest.MonkeyPatch, *packages: LockedPackage, needless: tuple[str, ...] = ()) -> None:
    answer = Resolved(requires_python=">=3.13", packages=packages, needless=needless)
    monkeypatch.setattr(resolving, "resolve", lambda *_, **__: answer)


def test_names_that_match_nothing_are_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, PACKAGE, needless=("botcore",))
    (needless, upgrade) = told(path, upgrade_packages=("nosuch", "A"))
    assert "`botcore`" in needless
    assert "`nosuch`" in upgrade


def test_requirements_of_which_no_marker_holds_are_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch)
    (line,) = told(path)
    assert "marker" in line
    answering(monkeypatch, PACKAGE)
    assert told(path, upgrade=True) == []


@pytest.mark.parametrize("mode", [{"upgrade": True}, {"upgrade_packages": ("a",)}])
def test_a_lock_that_must_stay_cannot_be_upgraded(mode: dict[str, Any]) -> None:
    with pytest.raises(ContradictingModeError) as caught:
        LockMode(locked=True, **mode)
    assert caught.value.exit_code == 2


def test_below_a_file_there_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert not is_current(REQUEST, target(), path=tmp_path / "file" / "pylock.toml", settings=SETTINGS)


def test_a_locks_state_is_told_in_words(current: Path) -> None:
    def state(request: LockRequest, path: Path = current) -> str:
        return state_of(request, target(), path=path, settings=SETTINGS)

    assert state(REQUEST) == "is current"
    assert state(LockRequest(requirements=("b",))) == "is stale: `requirements` changed"
    assert state(REQUEST, current.with_name("pylock.other.toml")) == "is not there yet"
