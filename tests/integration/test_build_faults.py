"""Builds while index, disk and power fail: clear words, the right code, nothing half-done, and the next run works."""

import contextlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import SimpleIndex
from tests.workbench import TARGET, Answer, Workbench, add_sdist, add_wheel, end, kill, leftovers, sha256

MIB = 1 << 20
ZIP = "app-python3.12-x86_64.zip"
MANIFEST = "app-python3.12-x86_64.layer.json"
WHEEL = "dep-2.0-py3-none-any.whl"
ALWAYS = 10_000
PASSWORD = "hunter2:s3cr@t"

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="mounts and limits as Linux has them")


def noise(name: str, size: int) -> bytes:
    """Return bytes that no compressor makes smaller, the same for the same name."""
    return random.Random(name).randbytes(size)  # noqa: S311 -- no secret


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    for folder in ("shelf", "work"):
        (tmp_path / folder).mkdir()
    add_wheel(tmp_path / "shelf", "app", needs=["dep"])
    add_wheel(tmp_path / "shelf", "dep", "2.0", files={"dep/__init__.py": "", "dep/data.bin": noise("dep", 4 * MIB)})
    with SimpleIndex(tmp_path / "shelf", credentials=("me", PASSWORD)) as index:
        yield Workbench(root=tmp_path, index=index, url=index.url_with_credentials)


def build(bench: Workbench, *options: str | Path, cache: Path | None = None) -> Answer:
    return bench.run("build", "app", *TARGET, "--cache-dir", cache or bench.cache, *options)


def build_locked(bench: Workbench, *options: str | Path) -> Answer:
    """Build from a lock: only the wheelhouse meets what is wrong with files."""
    return build(bench, "--locked", *options)


def is_refused(answer: Answer, code: int, *words: str) -> None:
    """Hold an answer to be an error with this code, these words, and no traceback."""
    assert answer.code == code, answer
    assert answer.stdout == "", answer
    assert "error: " in answer.stderr, answer
    assert "Traceback" not in answer.stderr, answer
    for word in words:
        assert word in answer.stderr, answer


def is_whole(bench: Workbench, answer: Answer, reference: str | None = None) -> None:
    """Hold a build to have ended well: a valid pair, no leftovers."""
    assert answer.code == 0, answer
    digest = sha256(bench.dist / ZIP)
    assert digest in (bench.dist / MANIFEST).read_text("utf-8")
    assert reference in {None, digest}
    assert leftovers(bench.dist) == []


def make_lock(bench: Workbench) -> None:
    """Write the lock of `app` where its build looks for it."""
    answer = bench.run("lock", "app", *TARGET, "--lock-dir", "dist")
    assert answer.code == 0, answer


def outputs(bench: Workbench) -> list[str]:
    return sorted(path.name for path in bench.dist.glob("*") if path.suffix != ".toml")


class TestIndex:
    def test_files_that_fail_for_good_are_named_and_the_next_run_works(self, bench: Workbench) -> None:
        make_lock(bench)
        bench.index.faults.status = 404
        is_refused(build_locked(bench), 4, WHEEL, "not found", "hint: ")
        assert outputs(bench) == []
        bench.index.faults.status = None
        is_whole(bench, build_locked(bench))

    def test_a_lock_is_not_made_while_the_index_fails(self, bench: Workbench) -> None:
        bench.index.faults.status = 500
        answer = build(bench)
        is_refused(answer, answer.code, "500")
        assert answer.code in {3, 4}
        assert not list(bench.work.rglob("pylock.*"))

    def test_passing_errors_are_got_over(self, bench: Workbench) -> None:
        make_lock(bench)
        bench.index.faults.errors = 2
        is_whole(bench, build_locked(bench))

    def test_a_slow_index_is_waited_for(self, tmp_path: Path, bench: Workbench) -> None:
        with SimpleIndex(bench.shelf, delay=0.5) as slow:
            is_whole(bench, build(bench, "--index-url", slow.url))
        assert tmp_path.is_dir()

    def test_wrong_bytes_are_refused_and_never_cached(self, bench: Workbench) -> None:
        make_lock(bench)
        bench.index.faults.wrong_bytes = ALWAYS
        is_refused(build_locked(bench), 4, WHEEL, "is not the file that was locked", "hint: ")
        assert outputs(bench) == []
        assert not [path for path in bench.cache.glob("files/*/*") if path.is_file()]
        bench.index.faults.wrong_bytes = 0
        is_whole(bench, build(bench))

    def test_a_truncated_wheel_is_fetched_on(self, bench: Workbench) -> None:
        make_lock(bench)
        bench.index.faults.truncations, bench.index.faults.break_at = 1, 1000
        is_whole(bench, build_locked(bench))
        assert bench.index.faults.truncations == 0

    def test_a_wheel_that_is_always_truncated_is_an_error_and_never_cached(self, bench: Workbench) -> None:
        make_lock(bench)
        bench.index.faults.missing_bytes = ALWAYS
        is_refused(build_locked(bench), 4, WHEEL, "hint: ")
        assert not [path for path in bench.cache.glob("files/*/*") if path.is_file()]
        bench.index.faults.missing_bytes = 0
        is_whole(bench, build(bench))

    def test_a_wheel_that_is_no_zip_is_told_by_name(self, bench: Workbench) -> None:
        """What the index offers is damaged already: the hash is right, the content is not."""
        path = bench.shelf / WHEEL
        path.write_bytes(path.read_bytes()[: 2 * MIB])
        answer = build(bench, "--lock-dir", "locks")
        assert answer.code in {3, 4}, answer
        is_refused(answer, answer.code, "dep")
        assert outputs(bench) == []

    def test_a_damaged_cache_costs_time_and_nothing_else(self, bench: Workbench) -> None:
        is_whole(bench, build(bench))
        reference = sha256(bench.dist / ZIP)
        for bucket in ("files", "fragments"):
            for path in bench.cache.glob(f"{bucket}/*/*"):
                path.write_bytes(path.read_bytes()[:-7])
        is_whole(bench, build(bench), reference)

    @pytest.mark.parametrize("keeps_time", [True, False])
    def test_a_damaged_wheel_in_the_cache_makes_no_layer_and_the_next_run_works(
        self, bench: Workbench, keeps_time: bool
    ) -> None:
        is_whole(bench, build(bench))
        reference = sha256(bench.dist / ZIP)
        (path,) = (path for path in (bench.cache / "files").rglob("*") if path.is_file() and path.stat().st_size > MIB)
        before = path.stat()
        with path.open("r+b") as stream:
            stream.seek(2 * MIB)
            stream.write(b"oops")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns if keeps_time else before.st_mtime_ns + 10**9))
        is_refused(build(bench), 1, "cache is damaged", "dep", "hint: ")
        assert sha256(bench.dist / ZIP) == reference
        is_whole(bench, build(bench), reference)


class TestDisk:
    @contextlib.contextmanager
    def small(self, folder: Path, size: str, *flags: str) -> Iterator[None]:
        """Mount a small disk at the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        command("mount", "-t", "tmpfs", "-o", ",".join([f"size={size}", *flags]), "tmpfs", str(folder), check=True)
        try:
            yield
        finally:
            command("umount", "-l", str(folder), check=True)

    def limited(self, bench: Workbench, *options: str | Path) -> Answer:
        """Build while no file may grow over a mebibyte."""
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, hard))
        try:
            process = bench.start("build", "app", *TARGET, *options)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            signal.signal(signal.SIGXFSZ, before)
        return end(process)

    @linux_only
    def test_files_that_may_not_grow_are_an_error(self, bench: Workbench) -> None:
        is_refused(self.limited(bench), 1, "cannot write", "hint: ")
        assert outputs(bench) == []
        is_whole(bench, build(bench))

    @linux_only
    @pytest.mark.parametrize("place", ["cache", "dist"])
    def test_a_full_disk_is_an_error_and_the_next_run_works(self, place: str, bench: Workbench) -> None:
        folder = bench.cache if place == "cache" else bench.dist
        if not can_mount(bench.root / "try"):
            is_refused(self.limited(bench), 1, "cannot write")
            return
        with self.small(folder, "2m"):
            is_refused(
                build(bench, "--lock-dir", "locks"), 1, "no space left on the device", str(folder.name), "hint: "
            )
            assert leftovers(folder) == []
            assert outputs(bench) == []
        is_whole(bench, build(bench, "--lock-dir", "locks"))

    @linux_only
    @pytest.mark.parametrize("place", ["cache", "dist"])
    def test_a_read_only_folder_is_an_error(self, place: str, bench: Workbench) -> None:
        folder = bench.cache if place == "cache" else bench.dist
        if not can_mount(bench.root / "try"):
            folder.write_text("a file in the place of the folder", encoding="utf-8")
            is_refused(build(bench, "--lock-dir", "locks"), 1, "cannot write", "hint: ")
            return
        with self.small(folder, "2m", "ro"):
            is_refused(build(bench, "--lock-dir", "locks"), 1, "the file system is read-only", "hint: ")

    @pytest.mark.parametrize("place", ["cache", "dist"])
    def test_a_file_in_the_place_of_a_folder_is_an_error(self, place: str, bench: Workbench) -> None:
        folder = bench.cache if place == "cache" else bench.dist
        folder.write_text("not a folder", encoding="utf-8")
        code, word = (1, "cannot write") if place == "cache" else (2, "--out dist")
        is_refused(build(bench, "--lock-dir", "locks"), code, word, "folder", "hint: ")
        assert folder.read_text("utf-8") == "not a folder"

    @linux_only
    def test_a_warm_build_writes_nothing_into_the_cache(self, bench: Workbench) -> None:
        """A cache on a read-only disk serves."""
        if not can_mount(bench.root / "try"):
            return
        with self.small(bench.cache, "64m"):
            is_whole(bench, build(bench))
            reference = sha256(bench.dist / ZIP)
            command("mount", "-o", "remount,ro", str(bench.cache), check=True)
            is_whole(bench, build(bench), reference)


def can_mount(folder: Path) -> bool:
    """Tell whether this process may mount."""
    folder.mkdir(exist_ok=True)
    allowed = command("mount", "-t", "tmpfs", "tmpfs", str(folder)) == 0
    if allowed:
        command("umount", str(folder), check=True)
    return allowed


def command(name: str, *arguments: str, check: bool = False) -> int:
    """Run a system command and return its status."""
    program = shutil.which(name)
    if program is None:
        return 127
    return subprocess.run([program, *arguments], capture_output=True, check=check).returncode


class TestInterruption:
    def test_kills_at_any_moment_leave_nothing_wrong(self, bench: Workbench) -> None:
        """Fifteen power cuts, then a run that succeeds and has the bytes of an undisturbed build."""
        is_whole(bench, build(bench, cache=bench.root / "quiet"))
        reference = sha256(bench.dist / ZIP)
        delays = random.Random(7)  # noqa: S311 -- seeded, so that a failure can be repeated
        for _ in range(15):
            process = bench.start("build", "app", *TARGET)
            time.sleep(delays.uniform(0.05, 0.9))
            kill(process)
            if (bench.dist / ZIP).exists():
                assert sha256(bench.dist / ZIP) == reference
        is_whole(bench, build(bench), reference)

    def test_what_a_killed_run_left_beside_the_layer_goes(self, bench: Workbench) -> None:
        is_whole(bench, build(bench))
        (real,) = (path for path in bench.dist.glob("*.zip"))
        from layerkit.files import replacing

        gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
        with replacing(real.with_name("probe")):
            (example,) = bench.dist.glob(".probe.*.tmp")
            left = example.name.replace(f"-{os.getpid()}-", f"-{int(gone.stdout)}-")
        (bench.dist / left).write_bytes(b"half a layer")
        is_whole(bench, build(bench))

    def test_ctrl_c_answers_130_at_once_and_leaves_nothing_half_written(self, bench: Workbench) -> None:
        """Even while the index is silent in the middle of a file."""
        make_lock(bench)
        asked = len(bench.index.requests_for(WHEEL))
        bench.index.faults.stalls, bench.index.faults.break_at = ALWAYS, 1000
        process = bench.start("build", "app", *TARGET, "--locked")
        deadline = time.monotonic() + 60
        while len(bench.index.requests_for(WHEEL)) == asked and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        answer = end(process)
        assert answer.code == 130, answer
        assert answer.stderr.strip() == "interrupted"
        assert outputs(bench) == []
        assert leftovers(bench.root) == []
        bench.index.faults.stalls = 0
        is_whole(bench, build(bench))

    def test_ctrl_c_ends_a_resolution_as_well(self, bench: Workbench) -> None:
        """On a terminal the signal reaches the resolver, too."""
        bench.index.faults.stalls, bench.index.faults.break_at = ALWAYS, 1000
        process = bench.start("build", "app", *TARGET)
        deadline = time.monotonic() + 60
        while not any(one.path.startswith("/files/") for one in bench.index.requests) and time.monotonic() < deadline:
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
        answer = end(process)
        assert answer.code == 130, answer
        assert answer.stderr.strip() == "interrupted"
        assert not list(bench.work.rglob("*.toml"))

    def test_two_builds_at_once_both_succeed_and_leave_one_valid_pair(self, bench: Workbench) -> None:
        for _ in range(3):
            processes = [bench.start("build", "app", *TARGET) for _ in range(2)]
            answers = [end(process) for process in processes]
            for answer in answers:
                is_whole(bench, answer)


class TestSdists:
    def test_a_setup_that_fails_shows_its_last_lines(self, bench: Workbench) -> None:
        add_sdist(bench.shelf, "broken", backend='print("looking for libfrob")\nraise RuntimeError("no libfrob here")')
        answer = bench.run("build", "broken", *TARGET)
        assert answer.code == 5, answer
        for words in ("`broken` 1.0 has only an sdist", "no libfrob here", "hint: ", "container"):
            assert words in answer.stderr, answer
        assert "layerkit/wheelhouse" not in answer.stderr, answer

    def test_native_code_names_the_package_and_the_container(self, bench: Workbench) -> None:
        add_sdist(bench.shelf, "native", backend='tag = "cp312-cp312-linux_x86_64"')
        is_refused(bench.run("build", "native", *TARGET), 5, "`native` 1.0", "container", "hint: ")

    def test_an_sdist_that_cannot_be_unpacked_is_told(self, bench: Workbench) -> None:
        path = add_sdist(bench.shelf, "damaged")
        path.write_bytes(path.read_bytes()[:-40])
        answer = bench.run("build", "damaged", *TARGET)
        assert answer.code in {3, 4, 5}, answer
        is_refused(answer, answer.code, "damaged")


class TestSecrets:
    def test_a_password_is_nowhere_to_be_seen(self, bench: Workbench) -> None:
        """Not in what is printed, the lock, the manifest, the cache, nor in the arguments of any process."""
        add_sdist(bench.shelf, "pure")
        seen: set[str] = set()
        stop = threading.Event()
        watcher = threading.Thread(target=watch, args=(seen, stop))
        watcher.start()
        try:
            good = bench.run("build", "app", "pure", *TARGET, "--verbose")
            bad = bench.run("build", "no-such-thing", *TARGET, "--verbose")
            stale = bench.run("build", "dep", *TARGET, "--locked", "--index-url", bench.url)
        finally:
            stop.set()
            watcher.join()
        assert (good.code, bad.code, stale.code) == (0, 3, 3), (good, bad, stale)
        secrets = [PASSWORD, bench.index.url_with_credentials.split("me:")[1].split("@127")[0]]
        said = [str(good), str(bad), str(stale), *others(seen, bench)]
        files = [path for folder in (bench.work, bench.cache) for path in folder.rglob("*") if path.is_file()]
        assert files
        for secret in secrets:
            assert not [text for text in said if secret in text]
            assert not [path for path in files if secret.encode() in path.read_bytes()]


def watch(seen: set[str], stop: threading.Event) -> None:
    """Note the arguments of every process, as ``ps`` shows them, until told to stop."""
    while not stop.is_set():
        listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=False)  # noqa: S607
        seen.update(listing.stdout.splitlines())
        stop.wait(0.02)


def others(seen: set[str], bench: Workbench) -> set[str]:
    """Return the processes that layerkit started, not layerkit itself, to which we gave the URL."""
    mine = {line for line in seen if "-m layerkit build" not in line}
    assert any("pip compile" in line for line in mine), "the watcher saw no resolver"
    assert bench.url
    return mine
