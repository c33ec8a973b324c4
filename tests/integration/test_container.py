"""Containers on a real engine: what goes in and out, what ends them, what stays behind (nothing)."""

import contextlib
import dataclasses
import gc
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from layerkit.progress import Task
from layerkit.sandbox.container import Container, ContainerSpec, Engine
from layerkit.sandbox.container_errors import (
    ContainerDied,
    DiskFull,
    EmulationMissing,
    EngineLost,
    EngineRefused,
    ImageMissing,
    NetworkMissing,
    NothingThere,
    OutOfMemory,
    RegistryUnreachable,
    RegistryWantsLogin,
    StrangeArchive,
    TookTooLong,
    WrongMachine,
)
from layerkit.sandbox.container_owner import LABEL, Owner
from layerkit.sandbox.place import InterpreterNotInImage, look_around
from layerkit.sandbox.runner import Order
from tests.engine import rig

pytestmark = pytest.mark.engine

MIB = 1 << 20
CANARY = "hunter2-canary"
OWNER = """
import sys, time
from layerkit.sandbox.container import Engine
from tests.engine import rig
with Engine.connect({"DOCKER_HOST": sys.argv[1]}).container(rig.BOOKWORM) as container:
    print(container.id, flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with rig.connect() as found:
        yield found


@pytest.fixture(scope="module")
def docker() -> Iterator[Any]:
    with rig.client() as found:
        yield found


@pytest.fixture
def box(engine: Engine) -> Iterator[Container]:
    with engine.container(rig.BOOKWORM) as container:
        yield container


def shell(text: str, *, timeout: float | None = None, stdin: str = "") -> Order:
    return Order(command=["sh", "-c", text], timeout=timeout, stdin=stdin)


def ours() -> set[str]:
    with rig.client() as docker:
        return {found["Id"] for found in docker.containers(all=True, filters={"label": [LABEL]})}


def remove_image(name: str) -> None:
    with rig.client() as docker, contextlib.suppress(Exception):
        docker.remove_image(name, force=True)


def remove_container(identifier: str) -> None:
    with rig.client() as docker:
        docker.remove_container(identifier, force=True)


def test_files_with_odd_names_come_back_as_they_went_in(box: Container, tmp_path: Path) -> None:
    files = {
        "in/plain": b"1",
        "in/with space/ü é.txt": b"\0\xff",
        "in/-dash": b"",
        f"in/{'long' * 40}": b"x" * (3 * MIB),
    }
    box.put(files)
    box.get("in", tmp_path / "out")
    back = {f"in/{path.relative_to(tmp_path / 'out').as_posix()}": path for path in (tmp_path / "out").rglob("*")}
    assert {name: path.read_bytes() for name, path in back.items() if path.is_file()} == files


def test_modes_are_0644_or_0755_and_the_owner_is_root_whoever_sends(box: Container, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name, mode in (("data", 0o600), ("program", 0o700)):
        (source / name).write_bytes(b"#!/bin/sh\n")
        (source / name).chmod(mode)
    box.put_folder(source, at="folder")
    seen = box.run(shell("cd folder && stat -c '%n %a %u %g %Y' *")).stdout.splitlines()
    assert seen == ["data 644 0 0 315619200", "program 755 0 0 315619200"]
    box.get("folder", tmp_path / "back")
    assert (tmp_path / "back/program").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "back/data").stat().st_mode & 0o777 == 0o644


def test_files_may_go_anywhere_in_a_container(box: Container) -> None:
    box.put({"/opt/python/module.py": b"here"})
    assert box.run(Order(command=["cat", "/opt/python/module.py"])).stdout == "here"
    assert box.whole_system


def test_a_link_in_the_container_is_not_followed_out(box: Container, tmp_path: Path) -> None:
    box.run(shell("mkdir out && ln -s /etc/passwd out/link"))
    with pytest.raises(StrangeArchive, match="link"):
        box.get("out", tmp_path / "out")


def test_a_folder_that_is_not_there_is_named(box: Container, tmp_path: Path) -> None:
    with pytest.raises(NothingThere, match="/layerkit/nowhere"):
        box.get("nowhere", tmp_path)


def test_a_program_tells_its_status_and_both_its_streams(box: Container) -> None:
    heard: list[str] = []
    order = Order(
        command=["sh", "-c", 'echo "out $A"; pwd; echo fäil >&2; exit 7'],
        environment={"A": "b c"},
        listener=heard.append,
    )
    done = box.run(order)
    assert (done.status, done.stdout, done.stderr) == (7, "out b c\n/layerkit\n", "fäil\n")
    assert "".join(heard).count("fäil") == 1


def test_output_is_heard_while_the_program_runs(box: Container) -> None:
    heard: list[float] = []
    box.run(Order(command=["sh", "-c", "echo a; sleep 1; echo b"], listener=lambda _: heard.append(time.monotonic())))
    assert heard[-1] - heard[0] > 0.5


def test_a_program_reads_its_standard_input_to_the_end(box: Container) -> None:
    text = "ünï\n" * 100_000
    assert box.run(Order(command=["sh", "-c", "cat; cat"], stdin=text)).stdout == text
    assert box.run(Order(command=["cat"])).stdout == ""


def test_a_program_that_is_not_there_has_a_status(box: Container) -> None:
    assert box.run(Order(command=["no-such-program"])).status in {126, 127}


def test_a_program_that_hangs_is_ended_with_its_container(engine: Engine) -> None:
    with engine.container(rig.BOOKWORM) as container:
        began = time.monotonic()
        with pytest.raises(TookTooLong, match="did not end within 1 seconds") as caught:
            container.run(shell("echo so far; sleep 600", timeout=1))
        assert time.monotonic() - began < 30
        assert caught.value.details == ("so far",)
        assert rig.eventually(lambda: container.id not in ours())
        with pytest.raises(ContainerDied):
            container.run(shell("true"))


def test_a_container_that_somebody_removes_is_told(box: Container) -> None:
    threading.Timer(1, lambda: remove_container(box.id)).start()
    with pytest.raises((ContainerDied, EngineLost)):
        box.run(shell("sleep 600"))


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_nothing_stays_after_an_error(engine: Engine, error: type[BaseException]) -> None:
    seen: list[str] = []

    def fail() -> None:
        with engine.container(rig.BOOKWORM) as container:
            seen.append(container.id)
            raise error

    with pytest.raises(error):
        fail()
    assert rig.eventually(lambda: seen[0] not in ours())


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.usefixtures("engine")
def test_nothing_stays_when_the_owner_is_killed(ending: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, rig.HOST], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as owner:
        assert owner.stdout is not None
        identifier = owner.stdout.readline().strip()
        assert identifier in ours()
        owner.send_signal(ending)
        owner.wait()
        assert rig.eventually(lambda: identifier not in ours())


def test_leftovers_of_the_dead_are_removed_and_nobody_elses(docker: Any, box: Container) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dead = dataclasses.replace(Owner.this(), pid=ended.pid)
    reused = dataclasses.replace(Owner.this(), started="1")
    elsewhere = dataclasses.replace(dead, host="another")
    made = {}
    for name, owner in (("dead", dead), ("reused", reused), ("elsewhere", elsewhere)):
        config = {"Image": rig.BOOKWORM.image, "Entrypoint": ["sleep", "600"], "Labels": owner.labels}
        made[name] = docker.create_container_from_config(config)["Id"]
        docker.start(made[name])
    try:
        Engine.connect(rig.ENVIRON).close()
        assert rig.eventually(lambda: not {made["dead"], made["reused"]} & ours())
        assert {made["elsewhere"], box.id} <= ours()
    finally:
        remove_container(made["elsewhere"])


def test_a_remote_daemon_does_the_same(tmp_path: Path) -> None:
    with rig.connect(rig.TCP) as engine, engine.container(rig.BOOKWORM) as container:
        container.put({"in/file": b"content"})
        container.put({"token": CANARY.encode()}, secret=True)
        done = container.run(shell(f"cat in/file - && cat {container.secrets}/token", stdin="typed "))
        assert done.stdout == f"contenttyped {CANARY}"
        container.get("in", tmp_path)
        assert (tmp_path / "file").read_bytes() == b"content"


def test_secrets_can_be_read_inside_and_are_nowhere_else(docker: Any, box: Container) -> None:
    images = {image["Id"] for image in docker.images()}
    box.put({"deep/pip.conf": CANARY.encode(), "empty": b""}, secret=True)
    seen = box.run(
        shell(f"cat {box.secrets}/deep/pip.conf -; stat -c %a {box.secrets}/deep/pip.conf {box.secrets}", stdin=CANARY)
    )
    assert seen.stdout == f"{CANARY}{CANARY}600\n700\n"
    told = [
        docker.inspect_container(box.id),
        docker.history(rig.BOOKWORM.image),
        docker.inspect_image(rig.BOOKWORM.image),
    ]
    told += [docker.exec_inspect(each) for each in docker.inspect_container(box.id)["ExecIDs"] or []]
    assert CANARY not in repr(told)
    tail = b""
    for chunk in docker.export(box.id):
        assert CANARY.encode() not in tail + chunk
        tail = chunk[-len(CANARY) :]
    assert {image["Id"] for image in docker.images()} == images


def test_a_container_has_no_more_rights_than_it_needs(docker: Any, box: Container) -> None:
    status = box.run(Order(command=["cat", "/proc/self/status"])).stdout
    rights = dict(line.split(":\t") for line in status.splitlines())
    assert int(rights["CapEff"], 16) == 0x800000FB  # chown to kill without dac_read_search, and setfcap
    assert rights["NoNewPrivs"] == "1"
    seen = docker.inspect_container(box.id)
    assert [*seen["Mounts"], *(seen["HostConfig"]["Binds"] or [])] == []


def test_the_rights_that_are_left_serve_what_installs_packages(box: Container) -> None:
    """Owners and modes of files are changed, and other users become, and are ended by, root."""
    owners = "touch f && chown 1000:1000 f && chmod 4755 f && stat -c '%u %a' f"
    assert box.run(shell(owners)).stdout == "1000 4755\n"
    ended = (
        "su -s /bin/sh -c 'echo $$ >/tmp/pid; exec sleep 60' _apt & sleep 0.5; kill $(cat /tmp/pid) && wait $!; id -un"
    )
    done = box.run(shell(ended, timeout=30))
    assert done.stdout == "root\n", done.stderr


def test_memory_is_limited_or_said_not_to_be(engine: Engine) -> None:
    with engine.container(dataclasses.replace(rig.BOOKWORM, memory=64 * MIB)) as container:
        if "memory" in container.unlimited:
            assert container.memory is None
            return
        with pytest.raises(OutOfMemory, match="limited to 64 MiB"):
            container.run(Order(command=["python3", "-c", "b'x' * (500 << 20)"]))
        assert container.run(shell("exit 9")).status == 9, "what fails later is not blamed on memory"


def test_processes_are_limited_or_said_not_to_be(engine: Engine) -> None:
    with engine.container(dataclasses.replace(rig.BOOKWORM, processes=16)) as container:
        done = container.run(shell("for i in $(seq 40); do sleep 2 & done; wait"))
        assert done.ok == ("processes" in container.unlimited)


def test_a_full_disk_is_recognised(box: Container) -> None:
    with pytest.raises(DiskFull, match="no space left"):
        box.run(shell(f"head -c 100000000 /dev/zero > {box.secrets}/big"))


def test_no_network_means_none_and_host_means_the_hosts(engine: Engine, box: Container) -> None:
    count = "cat /proc/net/dev | tail -n +3 | wc -l"
    with engine.container(dataclasses.replace(rig.BOOKWORM, network="none")) as lonely:
        assert lonely.run(shell(count)).stdout.strip() == "1"
    here = len(Path("/proc/net/dev").read_text(encoding="utf-8").splitlines()) - 2
    assert box.run(shell(count)).stdout.strip() == str(here)


def test_a_network_that_is_not_there_is_named(engine: Engine) -> None:
    before = ours()
    with (
        pytest.raises(NetworkMissing, match="nonesuch"),
        engine.container(dataclasses.replace(rig.BOOKWORM, network="nonesuch")),
    ):
        pass
    assert rig.eventually(lambda: ours() <= before)


def test_the_environment_reaches_every_program(engine: Engine) -> None:
    with engine.container(dataclasses.replace(rig.BOOKWORM, environment={"CFLAGS": "-O2 -g0"})) as container:
        assert container.run(shell('echo "$CFLAGS"')).stdout == "-O2 -g0\n"


def test_an_unreachable_registry_is_told_with_the_image(engine: Engine) -> None:
    spec = ContainerSpec(image="registry.invalid/some/image:1", platform="linux/amd64")
    with pytest.raises(RegistryUnreachable, match=r"registry\.invalid/some/image:1"), engine.container(spec):
        pass


class Bars:
    """Keeps what is shown."""

    def __init__(self) -> None:
        self.totals: dict[str, int | None] = {}
        self.seen = 0

    @contextlib.contextmanager
    def task(self, description: str, *, total: int | None, unit: str) -> Iterator[Task]:
        assert unit == "B"
        self.totals[description] = total
        yield self

    def advance(self, amount: int) -> None:
        self.seen += amount

    def tell(self, text: str) -> None:
        raise AssertionError(text)


@pytest.fixture
def tiny(box: Container, tmp_path: Path) -> Path:
    """Return a root folder with a shell and little else."""
    made = box.run(
        shell(
            "mkdir -p tiny/bin tiny/lib/x86_64-linux-gnu tiny/lib64 && cp -L /bin/sh /bin/uname /bin/cat tiny/bin && "
            "cp -L /lib/x86_64-linux-gnu/libc.so.6 tiny/lib/x86_64-linux-gnu && "
            "cp -L /lib64/ld-linux-x86-64.so.2 tiny/lib64"
        )
    )
    assert made.ok, made.stderr
    box.get("tiny", tmp_path / "tiny")
    return tmp_path / "tiny"


@pytest.mark.parametrize("by_digest", [False, True])
def test_an_image_is_pulled_once_with_a_bar_per_layer(engine: Engine, tiny: Path, *, by_digest: bool) -> None:
    with rig.registry() as registry:
        registry.offer(tiny, architecture="amd64")
        name = f"{registry.address}/tiny@{registry.digest}" if by_digest else f"{registry.address}/tiny:1"
        spec = ContainerSpec(image=name, platform="linux/amd64", network="none")
        bars = Bars()
        try:
            with engine.container(spec, progress=bars) as container:
                assert container.run(Order(command=["cat", "/etc/none"])).status == 1
                assert container.identity == f"{registry.address}/tiny@{registry.digest}"
            assert len(bars.totals) == 1
            assert bars.seen > 0
            registry.wants_login = True
            with engine.container(spec, progress=bars):
                pass
        finally:
            remove_image(name)


def test_a_registry_that_lacks_the_image_or_wants_a_login_says_so(engine: Engine, tiny: Path) -> None:
    with rig.registry() as registry:
        registry.offer(tiny, architecture="amd64")
        with pytest.raises(ImageMissing), engine.container(ContainerSpec(image=f"{registry.address}/other:1")):
            pass
        registry.wants_login = True
        with (
            pytest.raises(RegistryWantsLogin) as caught,
            engine.container(ContainerSpec(image=f"{registry.address}/tiny:1")),
        ):
            pass
        assert f"docker login {registry.address}" in (caught.value.hint or "")


def test_an_image_that_cannot_start_a_shell_leaves_nothing(engine: Engine, tiny: Path) -> None:
    (tiny / "bin/sh").unlink()
    before = ours()
    with rig.registry() as registry:
        registry.offer(tiny, architecture="amd64")
        name = f"{registry.address}/tiny:1"
        with pytest.raises((EngineRefused, ContainerDied), match="sh"), engine.container(ContainerSpec(image=name)):
            pass
        remove_image(name)
    assert rig.eventually(lambda: ours() <= before)


@pytest.mark.parametrize(
    ("spec", "version", "glibc"),
    [(rig.BULLSEYE, "3.9", (2, 31)), (rig.BOOKWORM, "3.11", (2, 36)), (rig.TRIXIE, "3.13", (2, 41))],
)
def test_the_interpreter_is_found_and_tells_its_surroundings(
    engine: Engine, spec: ContainerSpec, version: str, glibc: tuple[int, int]
) -> None:
    with engine.container(spec) as container:
        place = look_around(container, version)
    assert place.interpreter == f"/usr/bin/python{version}"
    assert place.version.startswith(f"{version}.")
    assert (place.machine, place.glibc, place.installer) == ("x86_64", glibc, "apt-get")


def test_manylinux_and_lambda_keep_their_interpreters_elsewhere(box: Container) -> None:
    box.run(shell("mkdir -p /opt/python/cp311-cp311/bin && ln -s /usr/bin/python3 /opt/python/cp311-cp311/bin/python"))
    assert look_around(box, "3.11").interpreter == "/opt/python/cp311-cp311/bin/python"


def test_an_image_without_the_version_tells_what_it_has(box: Container) -> None:
    with pytest.raises(InterpreterNotInImage, match=r"no Python 3\.13 in image `layerkit-test/bookworm`") as caught:
        look_around(box, "3.13")
    assert "CPython 3.11" in caught.value.details[0]


def test_arm64_runs_under_emulation_though_the_image_is_marked_amd64(engine: Engine) -> None:
    with engine.container(rig.TRIXIE_ARM64) as container:
        place = look_around(container, "3.13")
    assert (place.machine, place.glibc) == ("aarch64", (2, 41))
    assert engine.can_run(rig.TRIXIE_ARM64)


def test_an_image_of_another_architecture_is_refused(engine: Engine) -> None:
    spec = dataclasses.replace(rig.TRIXIE_ARM64, platform="linux/amd64")
    with pytest.raises(WrongMachine, match="aarch64, and x86_64 is needed"), engine.container(spec):
        pass
    assert not engine.can_run(spec)


def test_without_emulation_the_way_to_it_is_told(engine: Engine, tiny: Path) -> None:
    """A shell of an architecture that nobody registered an emulator for stands in for arm64 without one."""
    program = bytearray((tiny / "bin/sh").read_bytes())
    program[18:20] = (258).to_bytes(2, "little")  # e_machine: LoongArch
    (tiny / "bin/sh").write_bytes(program)
    with rig.registry() as registry:
        registry.offer(tiny, architecture="arm64")
        name = f"{registry.address}/tiny:1"
        spec = ContainerSpec(image=name, platform="linux/arm64", network="none")
        try:
            with pytest.raises(EmulationMissing) as caught, engine.container(spec):
                pass
            assert "binfmt --install arm64" in (caught.value.hint or "")
            assert "qemu-user-static" in (caught.value.hint or "")
            assert not engine.can_run(spec)
        finally:
            remove_image(name)


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # docker-py forgets sockets that could not connect
@pytest.mark.usefixtures("engine")
def test_an_engine_that_goes_away_midway_is_told_and_the_container_ends(tmp_path: Path) -> None:
    with rig.Proxy(tmp_path / "docker.sock") as proxy, Engine.connect({"DOCKER_HOST": proxy.url}) as through:
        seen: list[str] = []

        def work() -> None:
            with through.container(rig.BOOKWORM) as container:
                seen.append(container.id)
                threading.Timer(1, proxy.cut).start()
                container.run(shell("sleep 600"))

        with pytest.raises(EngineLost):
            work()
        gc.collect()
        assert rig.eventually(lambda: seen[0] not in ours())


def test_containers_run_side_by_side(engine: Engine) -> None:
    results: list[str] = []

    def one(number: int) -> None:
        with engine.container(rig.BOOKWORM) as container:
            container.put({"n": str(number).encode()})
            results.append(container.run(shell("sleep 0.3; cat n")).stdout)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["0", "1", "2", "3"]


def test_starting_and_ending_a_container_is_quick(engine: Engine) -> None:
    began = time.monotonic()
    with engine.container(rig.BOOKWORM) as container:
        container.run(shell("true"))
    assert time.monotonic() - began < 5
