"""The machine itself as a runner: the same protocol, nothing left behind."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from layerkit.sandbox.container_errors import NothingThere, TookTooLong
from layerkit.sandbox.local import LocalRunner, local_runner
from layerkit.sandbox.machine import Machine
from layerkit.sandbox.place import look_around
from layerkit.sandbox.runner import Order, Runner

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux builds for Linux")


@pytest.fixture
def here() -> Iterator[LocalRunner]:
    with local_runner() as runner:
        yield runner


def test_files_go_in_and_come_out_and_nothing_stays(tmp_path: Path) -> None:
    with local_runner() as runner:
        place: Runner = runner
        place.put({"in/ü b": b"1", "in/deep/c": b""})
        place.put({"token": b"secret"}, secret=True)
        done = place.run(
            Order(command=["sh", "-c", "cat 'in/ü b' -; echo $A; pwd"], stdin="typed", environment={"A": "b"})
        )
        assert done.stdout == f"1typedb\n{runner.home}\n"
        assert Path(runner.secrets, "token").stat().st_mode & 0o777 == 0o600
        assert Path(runner.secrets).stat().st_mode & 0o077 == 0
        place.get("in", tmp_path / "out")
        place.put_folder(tmp_path / "out", at="again")
        assert place.run(Order(command=["ls", "deep"], folder="again")).stdout == "c\n"
    assert not runner.root.exists()
    assert (tmp_path / "out/ü b").read_bytes() == b"1"


def test_a_program_that_fails_or_is_not_there_has_its_status(here: LocalRunner) -> None:
    heard: list[str] = []
    assert here.run(Order(command=["sh", "-c", "echo x >&2; exit 4"], listener=heard.append)).status == 4
    assert heard == ["x\n"]
    assert here.run(Order(command=["no-such-program"])).status == 127


def test_a_program_that_hangs_is_ended(here: LocalRunner) -> None:
    with pytest.raises(TookTooLong, match=r"within 0\.3 seconds"):
        here.run(Order(command=["sleep", "60"], timeout=0.3))


def test_nothing_outside_its_folder_is_written_or_read(here: LocalRunner, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="x"):
        here.put({str(tmp_path / "x"): b""})
    with pytest.raises(NothingThere):
        here.get("nowhere", tmp_path)
    assert not here.whole_system


def test_the_machine_and_its_interpreters_are_found(here: LocalRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    order = Order(command=[sys.executable, "-c", "import os; print(os.uname()[4])"])
    assert here.run(order).stdout.strip() == Machine.this().machine
    folder = Path(here.home, "bin")
    folder.mkdir()
    (folder / f"python{version}").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    place = look_around(here, version)
    assert place.interpreter == str(folder / f"python{version}")
    assert place.glibc == Machine.this().glibc
