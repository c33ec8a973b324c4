"""Downloads against a real server that does everything a server should not."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import filelock
import pytest

from layerkit.cache import Cache
from layerkit.errors import FetchError
from layerkit.files import DiskFailure
from layerkit.http import Patience
from layerkit.http_errors import AccessDenied, IndexUnreachable, NotFound
from layerkit.index import IndexSettings, IndexSource, resolve
from layerkit.model.lock import LockedFile
from layerkit.progress import Silent
from layerkit.wheelhouse.fetch import FetchOptions, fetch
from layerkit.wheelhouse.fetch_errors import (
    BadDigest,
    HashMismatch,
    LocalFileMissing,
    NotCached,
    SeveralFailures,
    SizeMismatch,
)
from tests.servers import SimpleIndex, unused_port

MIB = 1 << 20
ALWAYS = 1000
IMPATIENT = Patience(attempts=4, first_pause=0.001, connect=5, read=0.5)


class Recorder:
    """A progress that remembers."""

    def __init__(self) -> None:
        self.total: int | None = -1
        self.steps: list[int] = []

    @contextmanager
    def task(self, description: str, *, total: int | None, unit: str) -> Iterator["Recorder"]:
        assert (description, unit) == ("Downloading", "B")
        self.total = total
        yield self

    def advance(self, amount: int) -> None:
        self.steps.append(amount)


class House:
    """A folder of files behind a server, and a cache to fetch them into."""

    def __init__(self, root: Path) -> None:
        self.served = root / "served"
        self.served.mkdir()
        self.lock_folder = root / "locks"
        self.lock_folder.mkdir()
        self.cache = Cache(root / "cache")
        self.index = SimpleIndex(self.served)

    def make(self, name: str, size: int = 3 * MIB) -> LockedFile:
        """Put a file with ``size`` arbitrary bytes on the server."""
        content = random.Random(name).randbytes(size)  # noqa: S311 -- the same for the same name
        (self.served / name).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        return LockedFile(name=name, url=self.index.file_url(name), path=None, size=size, sha256=digest)

    def fetch(self, *files: LockedFile, progress: Any = None, **changes: Any) -> dict[str, Path]:
        settings = changes.pop("settings", IndexSettings(urls=()))
        return fetch(
            files,
            lock_folder=self.lock_folder,
            cache=self.cache,
            settings=settings,
            progress=progress or Silent(),
            options=FetchOptions(patience=IMPATIENT, **changes),
        )

    def script(self, file: LockedFile) -> str:
        """Return a program that fetches ``file`` with more patience than any test has."""
        return textwrap.dedent(f"""
            from pathlib import Path
            from layerkit.cache import Cache
            from layerkit.http import Patience
            from layerkit.index import IndexSettings
            from layerkit.model.lock import LockedFile
            from layerkit.progress import Silent
            from layerkit.wheelhouse.fetch import FetchOptions, fetch
            fetch(
                [{file!r}],
                lock_folder=Path({str(self.lock_folder)!r}),
                cache=Cache(Path({str(self.cache.root)!r})),
                settings=IndexSettings(urls=()),
                progress=Silent(),
                options=FetchOptions(patience=Patience(read=600)),
            )
        """)

    def holds(self, file: LockedFile) -> bool:
        """Whether the cache has the file with the right bytes, and nothing unfinished."""
        found = self.cache.find("files", file.sha256)
        return (
            found is not None
            and hashlib.sha256(found.read_bytes()).hexdigest() == file.sha256
            and not self.unfinished()
        )

    def unfinished(self) -> list[Path]:
        return [path for path in (self.cache.root / "partial").rglob("*") if path.is_file() and path.suffix != ".lock"]

    def is_empty(self) -> bool:
        return not [path for path in (self.cache.root / "files").rglob("*") if path.is_file()] and not self.unfinished()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    with made.index:
        yield made


def python(program: str, **options: Any) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True, **options)


def wait_for(happened: Callable[[], object]) -> None:
    for _ in range(3000):
        if happened():
            return
        time.sleep(0.01)
    raise AssertionError("it never happened")


class TestGoodDays:
    def test_files_arrive_verified_and_a_second_time_without_a_request(self, house: House) -> None:
        files = [house.make("a.whl"), house.make("b-1.tar.gz", 10), house.make("empty.whl", 0)]
        paths = house.fetch(*files)
        assert paths == {file.sha256: house.cache.path("files", file.sha256) for file in files}
        assert all(house.holds(file) for file in files)
        assert not [path for path in (house.cache.root / "partial").rglob("*") if path.is_file()]
        asked = len(house.index.requests)
        assert house.fetch(*files) == paths
        assert len(house.index.requests) == asked == 2  # of an empty file there is nothing to ask for

    def test_a_file_that_two_locks_name_is_downloaded_once(self, house: House) -> None:
        file = house.make("a.whl", 10)
        house.fetch(file, file)
        assert len(house.index.requests_for("a.whl")) == 1

    def test_the_biggest_file_goes_first(self, house: House) -> None:
        house.fetch(house.make("a-small.whl", 1), house.make("c-big.whl", 3000), house.make("b-middle.whl", 20), jobs=1)
        assert [request.path for request in house.index.requests] == [
            "/files/c-big.whl",
            "/files/b-middle.whl",
            "/files/a-small.whl",
        ]

    def test_a_file_of_unknown_size_arrives(self, house: House) -> None:
        known = house.make("a.whl")
        file = LockedFile(name=known.name, url=known.url, path=None, size=None, sha256=known.sha256)
        recorder = Recorder()
        house.fetch(file, progress=recorder)
        assert house.holds(file)
        assert (recorder.total, sum(recorder.steps)) == (None, 3 * MIB)

    def test_progress_counts_each_byte_once_even_if_it_came_twice(self, house: House) -> None:
        files = [house.make("a.whl"), house.make("b.whl", 2 * MIB)]
        house.index.faults.wrong_bytes = 1
        house.index.faults.truncations, house.index.faults.break_at = 1, MIB + 5
        recorder = Recorder()
        house.fetch(*files, progress=recorder)
        assert recorder.total == sum(recorder.steps) == 5 * MIB
        assert min(recorder.steps) > 0

    def test_a_damaged_entry_of_the_cache_is_fetched_anew(self, house: House) -> None:
        file = house.make("a.whl", 100)
        house.cache.path("files", file.sha256).parent.mkdir(parents=True)
        house.cache.path("files", file.sha256).write_bytes(b"short")
        house.fetch(file)
        assert house.holds(file)


class TestBadServers:
    @pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
    def test_passing_errors_are_waited_out(self, house: House, status: int) -> None:
        file = house.make("a.whl", 10)
        house.index.faults.errors, house.index.faults.error_status = 3, status
        house.index.faults.retry_after = "0"
        house.fetch(file)
        assert house.holds(file)
        assert len(house.index.requests) == 4

    def test_lasting_errors_end_the_attempts(self, house: House) -> None:
        file = house.make("a.whl", 10)
        house.index.faults.errors = ALWAYS
        with pytest.raises(IndexUnreachable, match="it answered 503"):
            house.fetch(file)
        assert len(house.index.requests) == 4
        assert house.is_empty()

    @pytest.mark.parametrize("fault", ["truncations", "resets", "stalls"])
    def test_what_breaks_off_is_resumed_where_it_stopped(self, house: House, fault: str) -> None:
        file = house.make("a.whl")
        setattr(house.index.faults, fault, 1)
        house.index.faults.break_at = 2 * MIB + 7
        house.fetch(file)
        assert house.holds(file)
        first, second = house.index.requests_for("a.whl")
        assert first.range is None
        assert second.range in {f"bytes={2 * MIB}-", f"bytes={2 * MIB + 7}-"}

    @pytest.mark.parametrize("fault", ["truncations", "resets"])
    def test_without_ranges_it_begins_again(self, house: House, fault: str) -> None:
        file = house.make("a.whl")
        setattr(house.index.faults, fault, 2)
        house.index.faults.break_at = 2 * MIB + 7
        house.index.faults.no_ranges = True
        house.fetch(file)
        assert house.holds(file)
        assert len(house.index.requests_for("a.whl")) == 3

    def test_a_server_that_always_breaks_off_is_given_up(self, house: House) -> None:
        file = house.make("a.whl")
        house.index.faults.truncations, house.index.faults.break_at = ALWAYS, 0
        with pytest.raises(IndexUnreachable, match="broke off"):
            house.fetch(file)

    def test_a_server_that_always_breaks_off_but_gets_on_is_borne_with(self, house: House) -> None:
        file = house.make("a.whl")
        house.index.faults.truncations, house.index.faults.break_at = ALWAYS, MIB // 3
        house.fetch(file)
        assert house.holds(file)
        assert len(house.index.requests) > IMPATIENT.attempts

    def test_a_silent_server_is_given_up(self, house: House) -> None:
        file = house.make("a.whl")
        house.index.faults.stalls = ALWAYS
        with pytest.raises(IndexUnreachable, match=r"nothing came for 0\.5 seconds"):
            house.fetch(file)

    def test_wrong_bytes_are_named_and_never_cached(self, house: House) -> None:
        file = house.make("a.whl", 100)
        house.index.faults.wrong_bytes = ALWAYS
        with pytest.raises(HashMismatch) as caught:
            house.fetch(file)
        wrong = hashlib.sha256(bytes(byte ^ 1 for byte in (house.served / "a.whl").read_bytes())).hexdigest()
        told = "\n".join([caught.value.message, *caught.value.details])
        assert all(fact in told for fact in ("a.whl", file.sha256, wrong, house.index.root))
        assert caught.value.exit_code == 4
        assert house.is_empty()

    @pytest.mark.parametrize(("fault", "told"), [("extra_bytes", "got more than 100"), ("missing_bytes", "got 99")])
    def test_a_wrong_size_is_named_and_never_cached(self, house: House, fault: str, told: str) -> None:
        file = house.make("a.whl", 100)
        setattr(house.index.faults, fault, ALWAYS)
        with pytest.raises(SizeMismatch) as caught:
            house.fetch(file)
        assert told in "\n".join(caught.value.details)
        assert house.is_empty()

    def test_wrong_bytes_once_are_got_over(self, house: House) -> None:
        file = house.make("a.whl", 100)
        house.index.faults.wrong_bytes = 1
        house.fetch(file)
        assert house.holds(file)

    def test_a_missing_file_is_not_asked_for_again(self, house: House) -> None:
        file = house.make("a.whl", 10)
        (house.served / "a.whl").unlink()
        with pytest.raises(NotFound, match=r"files/a\.whl"):
            house.fetch(file)
        assert len(house.index.requests) == 1

    def test_nobody_listening_is_told(self, house: House) -> None:
        with unused_port() as port:
            file = LockedFile(name="a", url=f"http://u:geheim@127.0.0.1:{port}/a", path=None, size=1, sha256="0" * 64)
            with pytest.raises(IndexUnreachable, match="connection refused") as caught:
                house.fetch(file)
        assert "geheim" not in caught.value.message

    def test_every_failure_is_told_at_once_and_the_rest_arrives(self, house: House) -> None:
        gone, good, wrong = house.make("gone.whl", 10), house.make("good.whl", 20), house.make("wrong.whl", 30)
        (house.served / "gone.whl").unlink()
        (house.served / "wrong.whl").write_bytes(bytes(30))
        with pytest.raises(SeveralFailures) as caught:
            house.fetch(gone, good, wrong)
        assert caught.value.message == "2 files could not be fetched"
        told = "\n".join(caught.value.details)
        assert "gone.whl" in told
        assert "wrong.whl" in told
        assert house.holds(good)


class TestAccess:
    def test_credentials_reach_their_own_host_and_no_other(self, house: House, tmp_path: Path) -> None:
        """A private index redirects to an open store, as many do."""
        file = house.make("a.whl", 10)
        with SimpleIndex(house.served, credentials=("me", "gehe:im")) as private:
            private.faults.redirect_to = house.index.root
            named = LockedFile(name="a.whl", url=private.file_url("a.whl"), path=None, size=10, sha256=file.sha256)
            source = IndexSource(index_url=private.url_with_credentials)
            settings = resolve(project=(source,), environ={"HOME": str(tmp_path)}, folder=tmp_path)
            house.fetch(named, settings=settings)
            assert [bool(request.authorization) for request in private.requests] == [True]
        assert [request.authorization for request in house.index.requests] == [None]
        assert house.holds(file)

    @pytest.mark.parametrize("password", [None, "wrong-geheim"])
    def test_denied_access_says_so_and_hints_at_netrc(self, house: House, tmp_path: Path, password: str | None) -> None:
        file = house.make("a.whl", 10)
        with SimpleIndex(house.served, credentials=("me", "right")) as private:
            named = LockedFile(name="a.whl", url=private.file_url("a.whl"), path=None, size=10, sha256=file.sha256)
            url = f"http://me:{password}@{private.netloc}/simple" if password else private.url
            source = IndexSource(index_url=url)
            settings = resolve(project=(source,), environ={"HOME": str(tmp_path)}, folder=tmp_path)
            with pytest.raises(AccessDenied) as caught:
                house.fetch(named, settings=settings)
            assert len(private.requests) == 1
        assert ("refused" if password else "no credentials") in caught.value.message
        assert "netrc" in str(caught.value.hint)
        assert "geheim" not in caught.value.message


class TestLocalFiles:
    def local(self, house: House, name: str = "../served/a.whl", size: int = 100) -> LockedFile:
        made = house.make("a.whl", size)
        return LockedFile(name=made.name, url=None, path=name, size=made.size, sha256=made.sha256)

    def test_a_path_counts_from_the_lock_and_needs_no_network(self, house: House) -> None:
        file = self.local(house)
        house.fetch(file, offline=True)
        assert house.holds(file)
        assert house.index.requests == []

    def test_a_file_url_needs_no_network(self, house: House) -> None:
        made = house.make("with space.whl", 100)
        url = (house.served / "with space.whl").as_uri()
        file = LockedFile(name=made.name, url=url, path=None, size=100, sha256=made.sha256)
        house.fetch(file, offline=True)
        assert house.holds(file)

    def test_a_missing_one_is_named(self, house: House) -> None:
        with pytest.raises(LocalFileMissing, match=r"nowhere\.whl"):
            house.fetch(self.local(house, "nowhere.whl"))

    def test_a_changed_one_is_refused(self, house: House) -> None:
        file = self.local(house)
        (house.served / "a.whl").write_bytes(bytes(100))
        with pytest.raises(HashMismatch, match=r"a\.whl"):
            house.fetch(file)
        assert house.is_empty()

    def test_one_that_another_process_brings_meanwhile_is_not_replaced(self, house: House) -> None:
        file = self.local(house)
        lock = house.cache.path("partial", file.sha256).with_suffix(".lock")
        lock.parent.mkdir(parents=True)
        with ThreadPoolExecutor() as pool:
            with filelock.FileLock(lock):
                answer = pool.submit(house.fetch, file)
                time.sleep(0.3)  # by now it would have copied, if it did not wait for us
                assert house.cache.find("files", file.sha256) is None
                with house.cache.store("files", file.sha256) as stream:
                    stream.write((house.served / "a.whl").read_bytes())
                before = house.cache.path("files", file.sha256).stat()
            after = answer.result(timeout=60)[file.sha256].stat()
        assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


class TestOffline:
    def test_what_is_cached_serves(self, house: House) -> None:
        file = house.make("a.whl", 10)
        house.fetch(file)
        assert house.fetch(file, offline=True)[file.sha256].read_bytes() == (house.served / "a.whl").read_bytes()

    def test_what_is_not_is_named_all_of_it_and_no_server_asked(self, house: House) -> None:
        with pytest.raises(NotCached) as caught:
            house.fetch(house.make("b.whl", 10), house.make("a.whl", 20), offline=True)
        assert caught.value.details == ("a.whl", "b.whl")
        assert "--offline" in str(caught.value.hint)
        assert house.index.requests == []


class TestUnfinishedDownloads:
    def partial(self, house: House, file: LockedFile, content: bytes) -> None:
        path = house.cache.path("partial", file.sha256)
        path.parent.mkdir(parents=True)
        path.write_bytes(content)

    @pytest.mark.parametrize("size", [100, None])
    def test_a_complete_one_only_wants_verifying(self, house: House, size: int | None) -> None:
        made = house.make("a.whl", 100)
        file = LockedFile(name="a.whl", url=made.url, path=None, size=size, sha256=made.sha256)
        self.partial(house, file, (house.served / "a.whl").read_bytes())
        house.fetch(file)
        assert house.holds(file)

    @pytest.mark.parametrize("content", [bytes(50), bytes(100), bytes(200)], ids=["shorter", "as long", "longer"])
    def test_a_damaged_one_is_thrown_away(self, house: House, content: bytes) -> None:
        file = house.make("a.whl", 100)
        self.partial(house, file, content)
        house.fetch(file)
        assert house.holds(file)
        assert house.index.requests_for("a.whl")[-1].range is None

    def test_one_of_a_killed_process_is_resumed(self, house: House) -> None:
        file = house.make("a.whl")
        house.index.faults.stalls, house.index.faults.break_at = 1, 2 * MIB + 7
        running = python(house.script(file))
        partial = house.cache.path("partial", file.sha256)
        wait_for(lambda: partial.exists() and partial.stat().st_size == 2 * MIB)
        running.kill()
        running.communicate()
        assert house.cache.find("files", file.sha256) is None
        house.fetch(file)
        assert house.holds(file)
        assert [request.range for request in house.index.requests_for("a.whl")] == [None, f"bytes={2 * MIB}-"]


class TestSeveralProcesses:
    def test_only_one_of_them_downloads_a_file(self, house: House) -> None:
        file = house.make("a.whl")
        gate = house.cache.root / "go"
        program = f"import pathlib, time\nwhile not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.001)\n"
        running = [python(program + house.script(file)) for _ in range(3)]
        gate.parent.mkdir(parents=True)
        gate.touch()
        for process in running:
            _, told = process.communicate(timeout=60)
            assert process.returncode == 0, told
        assert house.holds(file)
        assert len(house.index.requests_for("a.whl")) == 1

    def test_several_threads_of_one_process_share_a_download_too(self, house: House) -> None:
        files = [house.make("a.whl"), house.make("b.whl")]
        with ThreadPoolExecutor() as pool:
            answers = list(pool.map(lambda _: house.fetch(*files), range(4)))
        assert all(answer == answers[0] for answer in answers)
        assert all(house.holds(file) for file in files)
        assert len(house.index.requests) == 2

    def test_one_that_waits_takes_over_when_the_other_is_killed(self, house: House) -> None:
        file = house.make("a.whl")
        house.index.faults.stalls, house.index.faults.break_at = 1, MIB + 7
        first = python(house.script(file))
        partial = house.cache.path("partial", file.sha256)
        wait_for(lambda: partial.exists() and partial.stat().st_size == MIB)
        second = python(house.script(file))
        time.sleep(0.3)  # most likely it waits for the lock by now; if not, nothing is lost but the point
        first.kill()
        first.communicate()
        _, told = second.communicate(timeout=60)
        assert second.returncode == 0, told
        assert house.holds(file)
        assert [request.range for request in house.index.requests_for("a.whl")] == [None, f"bytes={MIB}-"]


class TestThisMachine:
    @pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send to one process")
    def test_ctrl_c_does_not_wait_for_a_silent_server(self, house: House) -> None:
        file = house.make("a.whl")
        house.index.faults.stalls, house.index.faults.break_at = ALWAYS, MIB
        running = python(house.script(file))
        wait_for(lambda: house.index.requests)
        running.send_signal(signal.SIGINT)
        _, told = running.communicate(timeout=60)
        assert running.returncode == -signal.SIGINT
        assert told.rstrip().endswith("KeyboardInterrupt")

    def test_a_cache_that_cannot_be_written_is_told(self, house: House) -> None:
        house.cache.root.write_bytes(b"a file where the folder should be")
        with pytest.raises(DiskFailure, match="not a folder"):
            house.fetch(house.make("a.whl", 10))

    @pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files")
    def test_a_disk_that_takes_no_more_is_told_and_what_came_is_kept(self, house: House) -> None:
        file = house.make("a.whl")
        limited = "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        limited += f"resource.setrlimit(resource.RLIMIT_FSIZE, ({2 * MIB}, {2 * MIB}))\n"
        _, told = python(limited + house.script(file)).communicate(timeout=60)
        assert "DiskFailure: cannot write" in told
        assert house.cache.find("files", file.sha256) is None
        house.fetch(file)
        assert house.holds(file)
        assert house.index.requests_for("a.whl")[-1].range == f"bytes={2 * MIB}-"

    @pytest.mark.parametrize("digest", ["../../../etc/passwd", "A" * 64, "0" * 63, ""])
    def test_a_digest_that_is_none_never_becomes_a_path(self, house: House, digest: str) -> None:
        with pytest.raises(BadDigest, match=r"a\.whl"):
            house.fetch(LockedFile(name="a.whl", url="http://x/a.whl", path=None, size=1, sha256=digest))

    def test_a_cached_run_loads_nothing_heavy(self, house: House) -> None:
        file = house.make("a.whl", 10)
        house.fetch(file)
        program = (
            house.script(file)
            .replace("from layerkit.http import Patience\n", "")
            .replace("patience=Patience(read=600)", "")
            .replace("from layerkit.index import IndexSettings\n", "")
            .replace("IndexSettings(urls=())", "None")
        )
        program += "import sys\nassert not {'requests', 'filelock', 'ssl', 'urllib3'} & set(sys.modules)\n"
        process = python(program)
        _, told = process.communicate(timeout=60)
        assert process.returncode == 0, told

    def test_every_error_is_a_fetch_error(self) -> None:
        """So that the exit code is 4 whatever went wrong on the way."""
        outcomes = (AccessDenied, BadDigest, HashMismatch, IndexUnreachable, LocalFileMissing, NotCached, NotFound)
        assert all(issubclass(one, FetchError) for one in (*outcomes, SeveralFailures, SizeMismatch))
