"""The doctor itself: what it makes of checks that answer, fail or stay silent."""

import threading
import time
from pathlib import Path
from typing import NoReturn

import pytest

from layerkit import doctor, doctor_sandbox
from layerkit.cache import Cache
from layerkit.doctor import Circumstances, examine, is_fit
from layerkit.doctor_check import Check, Status
from layerkit.errors import EnvironmentFailure
from layerkit.index import IndexSource

NEVER = threading.Event()


def circumstances(folder: Path, **environ: str) -> Circumstances:
    return Circumstances(
        cache=Cache(folder / "cache"),
        flags=IndexSource(no_index=True),
        environ={"PIP_CONFIG_FILE": "/dev/null", "UV_NO_CONFIG": "1", "HOME": str(folder), **environ},
        folder=folder,
    )


def fail() -> NoReturn:
    raise EnvironmentFailure("it is broken", hint="mend it")


def crash() -> NoReturn:
    raise ZeroDivisionError("at https://user:secret@host/")


def examined(monkeypatch: pytest.MonkeyPatch, folder: Path, **examinations: object) -> dict[str, Check]:
    monkeypatch.setattr(doctor, "_examinations", lambda _: examinations)
    return {check.name: check for check in examine(circumstances(folder), deadline=0.3)}


def test_answers_keep_their_order_and_what_hangs_is_broken_in_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    began = time.monotonic()
    quick = [Check(name="quick", status=Status.OK, detail="yes")]
    found = examined(monkeypatch, tmp_path, index=NEVER.wait, quick=lambda: quick, engine=NEVER.wait)
    assert list(found) == ["index", "quick", "engine"]
    assert found["index"].detail == "no answer within 0.3 seconds"
    assert found["index"].needed
    assert not found["engine"].needed
    assert time.monotonic() - began < 3


def test_failures_are_answers_with_the_way_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = examined(monkeypatch, tmp_path, cache=fail, memory=crash)
    assert found["cache"] == Check(
        name="cache", status=Status.BROKEN, detail="it is broken", hint="mend it", needed=True
    )
    assert found["memory"].detail == "ZeroDivisionError: at https://***@host/"


def test_only_what_prebuilt_wheels_need_decides() -> None:
    good = Check(name="uv", status=Status.OK, detail="", needed=True)
    assert is_fit([good, Check(name="engine", status=Status.BROKEN, detail="")])
    assert not is_fit([good, Check(name="index", status=Status.BROKEN, detail="", needed=True)])


def test_a_cache_that_cannot_be_written_is_broken(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    checks = doctor._cache(Cache(tmp_path / "file" / "cache"))  # noqa: SLF001
    assert checks[0].status is Status.BROKEN
    assert "--cache-dir" in str(checks[0].hint)


def test_credentials_are_known_by_host_and_never_shown(tmp_path: Path) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine files.example login me password hunter2\n")
    netrc.chmod(0o600)
    patient = circumstances(tmp_path, PIP_EXTRA_INDEX_URL="https://you:hunter3@index.example/simple")
    patient = Circumstances(cache=patient.cache, flags=IndexSource(), environ=patient.environ, folder=patient.folder)
    settings = doctor._settings(patient)  # noqa: SLF001
    detail = doctor._credentials(settings)[0].detail  # noqa: SLF001
    assert detail == f"known for index.example, files.example ({netrc})"


def test_settings_that_mean_nothing_are_broken_by_name(tmp_path: Path) -> None:
    (tmp_path / "uv.toml").write_text("index-url = 5\n")
    patient = circumstances(tmp_path, UV_NO_CONFIG="")
    found = {check.name: check for check in examine(patient)}
    assert found["settings"].status is Status.BROKEN
    assert "uv.toml" in found["settings"].detail
    assert not is_fit(tuple(found.values()))


def test_the_settings_files_that_are_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "uv.toml").write_text('index-url = "https://index.example/simple"\n')
    checks = doctor._settings_files(circumstances(tmp_path, UV_NO_CONFIG=""))  # noqa: SLF001
    assert str(tmp_path / "uv.toml") in checks[0].detail


@pytest.mark.parametrize(
    ("memory", "status"),
    [
        ("MemTotal: 8388608 kB\nMemAvailable: 4194304 kB\n", Status.OK),
        ("MemTotal: 8388608 kB\nMemAvailable: 4096 kB\n", Status.BROKEN),
        ("", Status.OK),
    ],
)
def test_little_memory_is_told(memory: str, status: Status, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "meminfo").write_text(memory)
    monkeypatch.setattr(doctor_sandbox, "_MEMINFO", tmp_path / "meminfo")
    assert doctor_sandbox.memory()[0].status is status


@pytest.mark.parametrize(
    ("entry", "status"), [("enabled\n", Status.OK), ("disabled\n", Status.MISSING), (None, Status.MISSING)]
)
def test_emulation_is_what_the_kernel_says(
    entry: str | None, status: Status, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if entry is not None:
        (tmp_path / "qemu-aarch64").write_text(entry)
    monkeypatch.setattr(doctor_sandbox, "_BINFMT", tmp_path)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    check = doctor_sandbox.emulation()[0]
    assert check.status is status
    assert check.hint is None or "qemu-user-static" in check.hint
