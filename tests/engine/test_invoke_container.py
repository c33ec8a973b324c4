"""Functions invoked in containers: as on this machine, whatever network and architecture these have."""

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from layerkit.invoke.container_space import CompilerInside
from layerkit.sandbox.container_box import Container
from tests.engine import rig
from tests.handlers import HANDLERS
from tests.workbench import call

pytestmark = [pytest.mark.engine, pytest.mark.network]

FUNCTION = (
    HANDLERS
    + """
def place(event, context):
    return {
        "cwd": os.getcwd(), "path": sys.path, "executable": sys.executable, "environment": dict(os.environ),
        "user": os.getuid(), "machine": os.uname()[4],
    }

def sleeps(event, context):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.fork() == 0:
        os.setsid()
    subprocess.Popen(["sleep", event["mark"]], start_new_session=True)
    time.sleep(600)

def attacks(event, context):
    os.kill(os.getppid(), signal.SIGSTOP)
    time.sleep(600)

def kills(event, context):
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(600)

def large(event, context):
    return "x" * (7 << 20)

def fills(event, context):
    written = 0
    with open("/tmp/fill", "wb", buffering=0) as stream:
        while written < 2000:
            try:
                stream.write(b"x" * (1 << 20))
            except OSError as error:
                return [written, error.strerror]
            written += 1

def writes(event, context):
    outcome = {}
    for folder in ("/var/task", "/opt", "/var/lang", "/var/runtime", "/tmp"):
        try:
            open(folder + "/new", "w").close()
            outcome[folder] = "written"
        except OSError as error:
            outcome[folder] = error.strerror
    return outcome

def shares(event, context):
    import multiprocessing
    multiprocessing.Queue()

def imports(event, context):
    import boto3, shared
    return [shared.WHERE, boto3.__version__, boto3.__file__]

def child(event, context):
    return subprocess.run(["tool"], capture_output=True, text=True).stdout
"""
)

BOOTSTRAP = """#!/bin/bash
set -eu
while true; do
  exec 3<>"/dev/tcp/${AWS_LAMBDA_RUNTIME_API%:*}/${AWS_LAMBDA_RUNTIME_API#*:}"
  printf 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\n\\r\\n' >&3
  size=0
  while IFS= read -r line <&3; do
    line=${line%$'\\r'}
    case "${line,,}" in
      lambda-runtime-aws-request-id:*) id=${line#*: } ;;
      content-length:*) size=${line#*: } ;;
      '') break ;;
    esac
  done
  IFS= read -r -N "$size" event <&3
  echo "$_HANDLER was called" >&2
  answer="[$event, \\"$PWD\\", \\"$0\\", \\"$PATH\\"]"
  printf 'POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\\r\\nConnection: close\\r\\n' "$id" >&3
  printf 'Content-Length: %d\\r\\n\\r\\n%s' "${#answer}" "$answer" >&3
  cat <&3 >/dev/null
  exec 3>&-
done
"""
WHERE = ("--image", rig.TRIXIE.image, "--runtime", "python3.13")
Invoke = Callable[..., Any]


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", rig.HOST)
    monkeypatch.delenv("PIP_CONFIG_FILE")  # where this machine's index is
    monkeypatch.chdir(tmp_path)
    with rig.connect():
        pass


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Share what the runtime brings itself: it is fetched once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """Return a folder with the function above."""
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "app.py").write_text(FUNCTION)
    return folder


@pytest.fixture
def invoke(code: Path, cache: Path, capfd: pytest.CaptureFixture[str]) -> Invoke:
    """Return how to invoke a handler of the function above: answers and log come back."""

    def run(
        handler: str, *options: str, fails: bool = False, network: str = "none", many: bool = False
    ) -> tuple[Any, str]:
        where = [*WHERE, "--network", network, "--code", str(code), "--cache-dir", str(cache)]
        assert call("invoke", f"app.{handler}", *where, *options) == int(fails)
        printed = capfd.readouterr()
        answers = [json.loads(line) for line in printed.out.splitlines()]
        return answers if many else answers[0], printed.err

    return run


def layer(folder: Path, name: str, files: Mapping[str, str], *, link: tuple[str, str] | None = None) -> str:
    path = folder / f"{name}.zip"
    with zipfile.ZipFile(path, "w") as out:
        for member, content in files.items():
            entry = zipfile.ZipInfo(member)
            entry.external_attr = 0o100755 << 16
            out.writestr(entry, content)
        if link:
            entry = zipfile.ZipInfo(link[0])
            entry.external_attr = 0o120777 << 16
            out.writestr(entry, link[1])
    return str(path)


def containers(pid: int) -> list[Any]:
    """Return the containers that a process has left."""
    with rig.client() as client:
        return [*client.containers(all=True, filters={"label": [f"layerkit.pid={pid}"]})]


@pytest.mark.parametrize("network", ["none", "host"])
def test_the_answer_is_stdout_and_the_log_is_stderr_in_order(network: str, invoke: Invoke) -> None:
    """The Runtime API is there even where there is no network at all."""
    answer, log = invoke("prints", network=network)
    assert answer == "answer"
    lines = [line for line in log.splitlines() if not line.startswith(("note:", "Fetching"))]
    assert [line.split("RequestId")[0].strip() for line in lines] == [
        "START",
        "to stdout",
        "to stderr",
        "END",
        "REPORT",
    ]
    assert "Init Duration: " in lines[-1]


def test_the_place_is_lambdas(invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THIS_MACHINE", "x")
    monkeypatch.setenv("AWS_PROFILE", "mine")
    one = layer(tmp_path, "one", {"python/a.py": "", "python/lib/python3.13/site-packages/b.py": ""})
    answer, log = invoke("place", "--layer", one, "--env", "MINE=1")
    assert answer["path"][:5] == [
        "/var/task",
        "/opt/python/lib/python3.13/site-packages",
        "/opt/python",
        "/var/lang/lib/python3.13/site-packages",
        "/var/runtime",
    ]
    assert answer["path"][-1] == "/var/lang/lib/python3.13/site-packages"
    assert (answer["cwd"], answer["executable"]) == ("/var/task", "/var/lang/bin/python3.13")
    assert answer["user"] == 993
    environment = answer["environment"]
    assert environment["PATH"].startswith("/var/lang/bin:")
    assert environment["LD_LIBRARY_PATH"].endswith(":/opt/lib")
    assert (environment["MINE"], environment["LAMBDA_TASK_ROOT"], environment["PYTHONPATH"]) == (
        "1",
        "/var/task",
        "/var/runtime",
    )
    assert not {"SECRET_OF_THIS_MACHINE", "AWS_PROFILE", "HOME", "HOSTNAME"} & set(environment)
    assert "does not get AWS_PROFILE" in log


def test_layers_lie_over_each_other_and_under_the_code(invoke: Invoke, tmp_path: Path) -> None:
    """Programs of a layer are found and can be run, links in it are kept, boto3 is the one that Lambda has."""
    tool = {"python/shared.py": "WHERE = 'one'", "bin/real": "#!/bin/sh\necho from a layer"}
    one = layer(tmp_path, "one", tool, link=("bin/tool", "real"))
    two = layer(tmp_path, "two", {"python/shared.py": "WHERE = 'two'"})
    where, version, file = invoke("imports", "--layer", one, "--layer", two)[0]
    assert (where, version[:2], file) == ("two", "1.", "/var/lang/lib/python3.13/site-packages/boto3/__init__.py")
    assert invoke("child", "--layer", one, "--layer", two)[0] == "from a layer\n"


def test_nothing_but_tmp_can_be_written_and_that_has_its_size(invoke: Invoke) -> None:
    assert invoke("writes")[0] == {
        "/var/task": "Permission denied",
        "/opt": "Permission denied",
        "/var/lang": "Permission denied",
        "/var/runtime": "Permission denied",
        "/tmp": "written",  # noqa: S108 -- the function's own
    }
    assert invoke("fills", "--tmp", "600")[0] == [600, "No space left on device"]


@pytest.mark.parametrize(
    ("handler", "kind", "message"),
    [
        ("raises", "ValueError", "no good"),
        ("exits", "Runtime.ExitError", "exit status 3"),
        ("eats", "Runtime.OutOfMemory", "signal: killed"),
        ("large", "Function.ResponseSizeTooLarge", "Response payload size exceeded"),
        ("missing", "Runtime.HandlerNotFound", "Handler 'missing' missing on module 'app'"),
        ("kills", "Runtime.ExitError", "exit status 1"),
    ],
)
def test_a_function_fails_in_lambdas_words(handler: str, kind: str, message: str, invoke: Invoke) -> None:
    answer, _ = invoke(handler, "--timeout", "20", fails=True)
    assert (answer["errorType"], message in answer["errorMessage"]) == (kind, True)
    if handler == "raises":
        assert 'File "/var/task/app.py"' in answer["stackTrace"][0]


def test_a_module_that_is_not_there_is_an_import_error(invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "code/app.py").write_text("import nowhere")
    answer, _ = invoke("echo", fails=True)
    assert answer["errorType"] == "Runtime.ImportModuleError"
    assert "No module named 'nowhere'" in answer["errorMessage"]


def test_shared_memory_cannot_be_had(invoke: Invoke) -> None:
    answer, _ = invoke("shares", fails=True)
    assert answer["errorType"] in {"OSError", "FileNotFoundError"}


def test_one_process_takes_one_event_after_the_other(invoke: Invoke) -> None:
    answers, log = invoke("counts", "--repeat", "3", many=True)
    assert answers == [1, 2, 3]
    assert log.count("Init Duration") == 1


def test_events_and_answers_of_megabytes_come_through(invoke: Invoke, tmp_path: Path) -> None:
    event = "é" + "x" * 5_000_000
    (tmp_path / "event.json").write_text(json.dumps(event))
    assert invoke("echo", "--event", "event.json")[0] == event


@pytest.mark.parametrize("handler", ["sleeps", "attacks"])
def test_a_timeout_ends_everything_and_the_next_event_finds_nothing_of_it(handler: str, invoke: Invoke) -> None:
    """Whatever the function does to what watches over it."""
    answers, _ = invoke(
        handler, "--timeout", "1", "--repeat", "2", "--event", '{"mark": "9101"}', fails=True, many=True
    )
    assert [answer["errorType"] for answer in answers] == ["Sandbox.Timedout"] * 2
    assert containers(os.getpid()) == []


def test_ctrl_c_leaves_nothing_behind(code: Path, cache: Path, invoke: Invoke) -> None:
    invoke("counts")  # so that nothing has to be fetched
    command = [sys.executable, "-m", "layerkit", "invoke", "app.sleeps", "--code", str(code), "--timeout", "60"]
    rest = [*WHERE, "--network", "none", "--cache-dir", str(cache), "--event", '{"mark": "9102"}']
    with subprocess.Popen([*command, *rest], stderr=subprocess.DEVNULL) as process:
        assert rig.eventually(lambda: is_running("9102"), patience=60)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    assert containers(process.pid) == []
    assert rig.eventually(lambda: not is_running("9102"))


def is_running(mark: str) -> bool:
    """Tell whether a ``sleep`` with that argument is among the processes, also those in containers."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has just ended
            if f"sleep\0{mark}\0".encode() in path.read_bytes():
                return True
    return False


def test_a_container_that_is_taken_away_is_no_fault_of_the_function(
    code: Path, cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def take_away() -> None:
        with rig.client() as client:
            assert rig.eventually(lambda: is_running("9103"), patience=100)
            for each in containers(os.getpid()):
                client.remove_container(each["Id"], force=True)

    thread = threading.Thread(target=take_away)
    thread.start()
    event = ("--event", '{"mark": "9103"}', "--timeout", "200", "--network", "none")
    status = call("invoke", "app.sleeps", "--code", code, "--cache-dir", cache, *WHERE, *event)
    thread.join()
    printed = capfd.readouterr()
    assert (status, printed.out) == (5, "")
    assert "container" in printed.err.splitlines()[-2]


def custom(*options: str, expected: int = 0) -> None:
    where = ["--image", rig.BULLSEYE.image, "--network", "none", "--runtime", "provided.al2023"]
    assert call("invoke", "my.handler", *where, *options) == expected


def test_a_custom_runtime_runs_in_the_image(code: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (code / "bootstrap").write_text(BOOTSTRAP)
    (code / "bootstrap").chmod(0o755)
    custom("--code", str(code), "--event", "[1]", "--cache-dir", "cache")
    printed = capfd.readouterr()
    path = "/usr/local/bin:/usr/bin/:/bin:/opt/bin"
    assert json.loads(printed.out) == [[1], "/var/task", "/var/task/bootstrap", path]
    assert "my.handler was called\nEND" in printed.err


def test_a_custom_runtime_that_is_not_there_is_told(code: Path, capfd: pytest.CaptureFixture[str]) -> None:
    custom("--code", str(code), "--cache-dir", "cache", expected=1)
    answer = json.loads(capfd.readouterr().out)
    assert answer["errorType"] == "Runtime.InvalidEntrypoint"


@contextlib.contextmanager
def variant(script: str) -> Iterator[str]:
    """Make an image by a script."""
    with rig.client() as client:
        settings = client.create_host_config(network_mode="none")
        made = client.create_container(rig.TRIXIE.image, ["/bin/sh", "-ec", script], host_config=settings)["Id"]
        try:
            client.start(made)
            assert client.wait(made)["StatusCode"] == 0
            image = client.commit(made, repository="layerkit-test/variant")["Id"]
        finally:
            client.remove_container(made, force=True)
        try:
            yield image.removeprefix("sha256:")
        finally:
            client.remove_image(image, force=True)


CLIENT = """
import os, urllib.request
API = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(API + "next") as event:
        name = event.headers["Lambda-Runtime-Aws-Request-Id"]
    urllib.request.urlopen(API + name + "/response", data=b'"the image"').close()
"""


def test_an_image_that_brings_the_runtime_itself_keeps_it(invoke: Invoke, tmp_path: Path) -> None:
    """As those of AWS do: nothing is fetched."""
    package = "/var/lang/lib/python3.13/site-packages/awslambdaric"
    script = f"""
mkdir -p {package} /var/lang/bin
ln -s /usr/bin/python3.13 /var/lang/bin/python3.13
touch {package}/bootstrap.py {package}/lambda_runtime_client.py
cat >{package}/__main__.py <<'END'{CLIENT}END
"""
    with variant(script) as image:
        answer, log = invoke("echo", "--image", image, "--cache-dir", str(tmp_path / "empty"), "--no-index")
    assert answer == "the image"
    assert "Fetching" not in log


def test_where_nobody_but_root_can_read_the_python_the_function_is_root(invoke: Invoke) -> None:
    """And a timeout ends everything that it has started all the same."""
    with variant("chmod 700 /usr/lib/python3.13") as image:
        assert invoke("place", "--image", image)[0]["user"] == 0
        answer, _ = invoke("sleeps", "--image", image, "--timeout", "1", "--event", '{"mark": "9104"}', fails=True)
    assert answer["errorType"] == "Sandbox.Timedout"
    assert not is_running("9104")


def test_imports_are_timed_there_too(invoke: Invoke) -> None:
    _, log = invoke("echo", "--profile-imports")
    assert "the whole start" in log


def test_code_that_lies_elsewhere_comes_along_by_its_link(invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "shared.py").write_text("WHERE = 'elsewhere'")
    (tmp_path / "code/shared.py").symlink_to(tmp_path / "shared.py")
    (tmp_path / "code/nothing").symlink_to("/no/such/place")
    assert invoke("imports")[0][0] == "elsewhere"


def test_an_engine_behind_tcp_does_as_well(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    with rig.connect(rig.TCP):
        monkeypatch.setenv("DOCKER_HOST", rig.TCP)
        assert invoke("echo", "--event", "[1]")[0] == [1]


def test_secrets_are_not_for_whoever_may_ask_the_engine(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cr3t")
    seen: list[str] = []
    close = Container.close

    def look(container: Container) -> None:
        found: Any = container.api.inspect_container(container.id)
        seen.append(json.dumps([found, [container.api.exec_inspect(each) for each in found["ExecIDs"] or ()]]))
        close(container)

    monkeypatch.setattr(Container, "close", look)
    answer, _ = invoke("place")
    assert answer["environment"]["AWS_SECRET_ACCESS_KEY"] == "s3cr3t"
    assert len(seen) == 1
    assert "s3cr3t" not in seen[0]


def test_another_architecture_is_emulated(
    code: Path, cache: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By itself, if that is what the layers are for."""
    monkeypatch.setattr(CompilerInside, "compile", lambda *_: None)  # which takes minutes
    (code / "app.py").write_text("import os, pure\ndef handler(event, context):\n    return os.uname()[4]")
    path = Path(layer(tmp_path, "pure", {"python/pure.py": ""}))
    said = {"compatible_architectures": ["arm64"], "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    (tmp_path / "pure.layer.json").write_text(json.dumps({"version": 1, "layers": [said]}))
    where = [
        "--image",
        rig.TRIXIE_ARM64.image,
        "--network",
        "none",
        "--runtime",
        "python3.13",
        "--cache-dir",
        str(cache),
    ]
    status = call("invoke", "app.handler", "--code", code, "--layer", path, "--timeout", "100", *where)
    printed = capfd.readouterr()
    assert (status, printed.out) == (0, '"aarch64"\n'), printed.err
    assert os.uname().machine == "aarch64" or "arm64 is emulated here" in printed.err


def test_where_no_interpreter_is_at_hand_the_image_of_the_target_is_taken(
    code: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And its Python compiles what the runtime brings."""
    monkeypatch.setattr("layerkit.venue.recall_interpreter", lambda *_: None)
    monkeypatch.setattr("layerkit.sandbox.container_spec.builder_image", lambda *_: rig.TRIXIE.image)
    cache = tmp_path / "cache"
    (code / "app.py").write_text("import boto3\ndef handler(event, context):\n    return boto3.__cached__")
    assert call("invoke", "app.handler", "--code", code, "--runtime", "python3.13", "--cache-dir", cache) == 0
    compiled = json.loads(capfd.readouterr().out)
    (found,) = cache.glob(f"**/boto3/__pycache__/{Path(compiled).name}")
    assert found.read_bytes()[4:8] == b"\1\0\0\0"  # by hash, unchecked
