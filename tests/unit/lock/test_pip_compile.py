"""How pip-compile is called, and how its pins become a lock. Place and uv are played here: nothing runs."""

import contextlib
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

import pytest

from layerkit.index import IndexSettings
from layerkit.lock import in_place
from layerkit.lock.failures import (
    HashMismatchError,
    IndexRefusedError,
    MissingFileError,
    MissingHashesError,
    NoWheelError,
    OfflineError,
    UnsupportedSourceError,
)
from layerkit.lock.in_place import ChangedIndexError, DisagreementError, UniversalInPlaceError, resolve_in_place
from layerkit.lock.inputs import LockRequest, inputs_of, resolver_in
from layerkit.lock.obtain import LockMode, obtain
from layerkit.lock.pip_compile import PipQuestion, Workshop, compile_pins
from layerkit.lock.resolve import Keeping, Resolved
from layerkit.lock.uv import Question
from layerkit.model.lock import digest_of_inputs
from layerkit.model.target import PythonTarget, parse_target
from layerkit.model.universal import UniversalTarget
from layerkit.sandbox.process import Completed
from layerkit.sandbox.runner import Order

SETTINGS = IndexSettings(urls=("https://index.example/simple",))
ZEROS, ONES = "0" * 64, "1" * 64
REQUEST = LockRequest(requirements=("a",), resolver=resolver_in("sha256:feed"))


def target(text: str = "python3.12-x86_64") -> PythonTarget:
    parsed = parse_target(text)
    assert isinstance(parsed, PythonTarget)
    return parsed


@dataclass(kw_only=True)
class PlayedRunner:
    """Notes what it is given, and answers pip-compile with a text and every other program with nothing."""

    answer: str
    refusals: list[str] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    secret_files: dict[str, bytes] = field(default_factory=dict)
    home: str = "/home"
    secrets: str = "/secrets"
    title: str = "the box"
    identity: str = "sha256:feed"
    whole_system: bool = True

    def put(self, files: Mapping[str, bytes], *, secret: bool = False) -> None:
        (self.secret_files if secret else self.files).update(files)

    def put_folder(self, folder: Path, *, at: str) -> NoReturn:
        raise NotImplementedError

    def get(self, path: str, into: Path) -> NoReturn:
        raise NotImplementedError

    def run(self, order: Order) -> Completed:
        self.orders.append(order)
        if "piptools" in order.command and self.refusals:
            return Completed(status=1, stdout="", stderr=self.refusals.pop(0))
        return Completed(status=0, stdout="" if "piptools" in order.command else self.answer, stderr="")


@dataclass(frozen=True, kw_only=True)
class PlayedWorkshop:
    runner: PlayedRunner
    python: str = "/tools/python"
    environment: Mapping[str, str] = field(default_factory=dict)


def workshop(answer: str = "", *refusals: str) -> PlayedWorkshop:
    return PlayedWorkshop(runner=PlayedRunner(answer=answer, refusals=list(refusals)))


def pinned(*pins: str, digest: str = ZEROS) -> str:
    return "".join(f"{pin} \\\n    --hash=sha256:{digest}\n    # via -r requirements.in\n" for pin in pins)


def command_for(question: PipQuestion) -> list[str]:
    place = workshop()
    compile_pins(question, place)
    return list(place.runner.orders[0].command)


def pip_args(command: list[str]) -> list[str]:
    return shlex.split(command[command.index("--pip-args") + 1])


def test_what_shapes_the_resolution_becomes_options() -> None:
    command = command_for(
        PipQuestion(requirements=("a",), sources=("b", "c"), prereleases=True, exclude_newer="2026-01-31")
    )
    assert {"--generate-hashes", "--allow-unsafe", "--strip-extras", "--pre"} <= set(command)
    assert pip_args(command) == ["--no-input", "--no-binary=b", "--no-binary=c", "--uploaded-prior-to=2026-01-31"]
    assert pip_args(command_for(PipQuestion(requirements=("a",), binaries_only=True)))[1:] == ["--only-binary=:all:"]


def test_requirements_are_secret_and_on_no_command_line() -> None:
    place = workshop()
    compile_pins(PipQuestion(requirements=("a @ https://me:s3cret@h.example/a-1.zip",), constraints=("b<2",)), place)
    assert place.runner.files == {}
    assert place.runner.secret_files["requirements.in"] == b"a @ https://me:s3cret@h.example/a-1.zip\n"
    assert place.runner.secret_files["constraints.in"] == b"b<2\n"
    assert "s3cret" not in repr(place.runner.orders)


def test_an_answer_of_an_earlier_question_is_no_preference_of_the_next() -> None:
    place = workshop()
    compile_pins(PipQuestion(requirements=("a",), preferences=("a==1",)), place)
    assert place.runner.secret_files["requirements.out"] == b"a==1\n"
    compile_pins(PipQuestion(requirements=("a",)), place)
    assert place.runner.secret_files["requirements.out"].strip() == b""


def test_files_of_this_machine_are_carried_along(tmp_path: Path) -> None:
    wheel = tmp_path / "own-1+x-py3-none-any.whl"
    wheel.write_bytes(b"bytes")
    place = workshop()
    compile_pins(PipQuestion(requirements=(f"own @ {wheel.as_uri()}#sha256=00",)), place)
    assert place.runner.files == {"carried/0/own-1+x-py3-none-any.whl": b"bytes"}
    said = place.runner.secret_files["requirements.in"]
    assert said == b"own @ file:///home/carried/0/own-1%2Bx-py3-none-any.whl#sha256=00\n"


def test_files_that_are_not_there_and_folders_are_refused_before_anything_runs(tmp_path: Path) -> None:
    place = workshop()
    with pytest.raises(MissingFileError):
        compile_pins(PipQuestion(requirements=(f"own @ {(tmp_path / 'no.whl').as_uri()}",)), place)
    with pytest.raises(UnsupportedSourceError):
        compile_pins(PipQuestion(requirements=(f"own @ {tmp_path.as_uri()}",)), place)
    assert place.runner.orders == []


Files = Callable[..., list[Question]]


@pytest.fixture
def uv(monkeypatch: pytest.MonkeyPatch) -> Files:
    """Let uv find these files, by package; note what it is asked."""

    def play(*packages: str, status: int = 0, stderr: str = "") -> list[Question]:
        questions: list[Question] = []
        head = 'lock-version = "1.0"\ncreated-by = "uv"\nrequires-python = ">=3.12.1"\n'
        text = head + ("\n".join(packages) or "packages = []\n")

        def ask(question: Question, _: Any) -> Completed:
            questions.append(question)
            return Completed(status=status, stdout=text, stderr=stderr)

        monkeypatch.setattr(in_place, "ask", ask)
        return questions

    return play


def package(name: str, *, tags: str = "", sdist: bool = False, digest: str = ZEROS) -> str:
    lines = ["[[packages]]", f'name = "{name}"', 'version = "1"']
    hashes = f'hashes = {{ sha256 = "{digest}" }}'
    lines += [f'wheels = [{{ url = "https://h.example/{name}-1-{tags}.whl", {hashes} }}]'] if tags else []
    lines += [f'sdist = {{ url = "https://h.example/{name}-1.tar.gz", {hashes} }}'] if sdist else []
    return "\n".join(lines)


def resolved(request: LockRequest, place: PlayedWorkshop, keeping: Keeping | None = None) -> Resolved:
    def opening() -> contextlib.AbstractContextManager[Workshop]:
        return contextlib.nullcontext(place)

    return resolve_in_place(request, target(), settings=SETTINGS, folder=Path(), open_workshop=opening, keeping=keeping)


def names(found: Resolved) -> list[str]:
    return [each.file.name for each in found.packages]


def test_uv_is_asked_for_the_files_of_exactly_the_pins_and_follows_nothing(uv: Files) -> None:
    questions = uv(package("a", tags="py3-none-any"), package("b", tags="py3-none-any"))
    found = resolved(REQUEST, workshop(pinned("a==1", "b==1")))
    assert names(found) == ["a-1-py3-none-any.whl", "b-1-py3-none-any.whl"]
    assert questions[0].requirements == ("a==1", "b==1")
    assert (questions[0].dependencies, questions[0].any_file, questions[0].platform) == (False, True, None)


@pytest.mark.parametrize("tags", ["", "cp312-cp312-win_amd64", "cp312-cp312-manylinux_2_39_x86_64"])
def test_what_has_no_wheel_for_the_target_becomes_an_sdist(uv: Files, tags: str) -> None:
    uv(package("a", tags=tags, sdist=True))
    assert names(resolved(REQUEST, workshop(pinned("a==1")))) == ["a-1.tar.gz"]


def test_what_must_be_a_wheel_becomes_no_sdist(uv: Files) -> None:
    uv(package("a", tags="cp312-cp312-manylinux2014_aarch64", sdist=True))
    with pytest.raises(NoWheelError):
        resolved(replace(REQUEST, only_binary=("A",)), workshop(pinned("a==1")))


def test_it_is_an_error_where_nothing_may_be_built_or_there_is_nothing_to_build(uv: Files) -> None:
    uv(package("a", tags="cp312-cp312-manylinux2014_aarch64", sdist=True))
    with pytest.raises(NoWheelError) as forbidden:
        resolved(replace(REQUEST, no_build=True), workshop(pinned("a==1")))
    uv(package("a", tags="cp312-cp312-manylinux2014_aarch64"))
    with pytest.raises(NoWheelError) as lacking:
        resolved(REQUEST, workshop(pinned("a==1")))
    assert forbidden.value.details == ("wheels exist for python3.12-arm64",)
    assert "no source distribution" in lacking.value.details[1]


def test_a_file_that_pip_did_not_see_is_not_locked(uv: Files) -> None:
    uv(package("a", tags="py3-none-any", digest=ONES))
    with pytest.raises(ChangedIndexError):
        resolved(REQUEST, workshop(pinned("a==1")))


def test_hashes_of_the_requirements_count_besides_those_that_pip_saw(uv: Files) -> None:
    uv(package("a", tags="py3-none-any"))
    place = workshop(pinned("a==1"))
    assert names(resolved(replace(REQUEST, hashes={"a==1": (f"sha256:{ZEROS}",)}), place)) == ["a-1-py3-none-any.whl"]
    with pytest.raises(HashMismatchError):
        resolved(replace(REQUEST, hashes={"a==1": (f"sha256:{ONES}",)}), place)
    with pytest.raises(MissingHashesError):
        resolved(replace(REQUEST, hashes={"b==1": (f"sha256:{ONES}",)}), place)


def test_what_pip_took_and_uv_does_not_find_is_a_disagreement_of_indexes(uv: Files) -> None:
    uv(
        status=1,
        stderr="error: No solution found\n  cause: Because there is no version of a==1 and you require a==1.\n",
    )
    with pytest.raises(DisagreementError, match="a==1"):
        resolved(REQUEST, workshop(pinned("a==1")))


def test_direct_references_need_no_uv(uv: Files) -> None:
    questions = uv()
    request = replace(REQUEST, requirements=("a @ https://me:pw@h.example/a-2.0.tar.gz#egg=a",))
    found = resolved(request, workshop(pinned("a @ https://h.example/a-2.0.tar.gz")))
    assert [(each.version, each.file.url, each.file.sha256) for each in found.packages] == [
        ("2.0", "https://h.example/a-2.0.tar.gz", ZEROS)
    ]
    assert questions == []
    with pytest.raises(UnsupportedSourceError, match="neither"):
        resolved(replace(request, requirements=("a @ https://h.example/main.zip",)), workshop(pinned("a @ https://x")))


def test_the_earlier_lock_is_preferred_but_for_what_is_upgraded(uv: Files) -> None:
    uv(package("a", tags="py3-none-any"))
    place = workshop(pinned("a==1"))
    keeping = Keeping(previous="\n".join(package(name, tags="py3-none-any") for name in "ab"), upgrades=("b",))
    resolved(REQUEST, place, keeping)
    assert place.runner.secret_files["requirements.out"] == b"a==1\n"


def test_of_a_name_without_any_version_pip_is_asked_why(uv: Files) -> None:
    uv()
    refusal = "ERROR: Could not find a version that satisfies the requirement a[x]>=1 (from versions: none)"
    place = workshop(
        "Could not fetch URL https://i.example/a/: 403 Client Error: No for url: https://i.example/a/", refusal
    )
    with pytest.raises(IndexRefusedError, match="403"):
        resolved(REQUEST, place)
    assert place.runner.orders[-1].command[-1] == "a"


def never() -> NoReturn:
    raise AssertionError


def test_no_workshop_is_opened_offline_or_for_a_universal_layer() -> None:
    with pytest.raises(OfflineError):
        resolve_in_place(
            REQUEST, target(), settings=SETTINGS, folder=Path(), open_workshop=never, keeping=Keeping(offline=True)
        )
    universal = UniversalTarget.of([target(), target("python3.13-arm64")])
    with pytest.raises(UniversalInPlaceError):
        resolve_in_place(REQUEST, universal, settings=SETTINGS, folder=Path(), open_workshop=never)


def test_the_place_is_part_of_a_locks_inputs_and_uv_is_not() -> None:
    def digest(request: LockRequest) -> str:
        return digest_of_inputs(inputs_of(request, target(), SETTINGS))

    other = replace(REQUEST, resolver=resolver_in("sha256:beef"))
    assert len({digest(REQUEST), digest(other), digest(replace(REQUEST, resolver="uv"))}) == 3
    assert "resolver" not in inputs_of(LockRequest(requirements=("a",)), target(), SETTINGS)


def test_a_current_lock_is_used_without_opening_a_workshop(uv: Files, tmp_path: Path) -> None:
    uv(package("a", tags="py3-none-any"))
    path = tmp_path / "pylock.toml"

    @contextlib.contextmanager
    def once() -> Iterator[Workshop]:
        yield workshop(pinned("a==1"))

    first = obtain(REQUEST, target(), path=path, settings=SETTINGS, open_workshop=once)
    for mode in (LockMode(), LockMode(locked=True)):
        assert obtain(REQUEST, target(), path=path, settings=SETTINGS, mode=mode, open_workshop=never) == first


def test_what_must_be_a_wheel_is_so_for_pip() -> None:
    assert pip_args(command_for(PipQuestion(requirements=("a",), binaries=("b",))))[1:] == ["--only-binary=b"]
