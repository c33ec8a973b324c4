"""Locks for every runtime at once: pure wheels, one version each, whoever needs them."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
from packaging.pylock import Pylock

from layerkit.index import IndexSettings
from layerkit.lock import resolve as resolving
from layerkit.lock.bundled import bundled_pins
from layerkit.lock.inputs import LockRequest, inputs_of
from layerkit.lock.locker import packages_for
from layerkit.lock.obtain import lock_file_name
from layerkit.lock.placement import Places
from layerkit.lock.resolve import Resolved, resolve
from layerkit.lock.universal import MixedVersionsError, NotPureError, lowest_pins
from layerkit.lock.uv import Question
from layerkit.model.lock import LockedPackage
from layerkit.model.target import PythonTarget, parse_target
from layerkit.model.universal import UniversalTarget
from layerkit.sandbox.process import Completed

SETTINGS = IndexSettings(urls=())
NATIVE = "cp312-cp312-manylinux_2_17_x86_64"


def universal(*names: str) -> UniversalTarget:
    return UniversalTarget.of(map(parse_target, names or ("python3.9-x86_64", "python3.9-arm64", "python3.12-x86_64")))


def package(name: str, *tags: str, version: str = "1.0", **more: Any) -> dict[str, Any]:
    files = [f"{name}-{version}-{each}.whl" for each in tags]
    wheels = [{"url": f"https://h.example/{file}", "hashes": {"sha256": "0" * 64}} for file in files]
    return {"name": name, "version": version, **({"wheels": wheels} if wheels else {}), **more}


SDIST = {"url": "https://h.example/a-1.0.tar.gz", "hashes": {"sha256": "1" * 64}}


def chosen(*entries: dict[str, Any], sources: Collection[str] = ()) -> tuple[LockedPackage, ...]:
    data = {"lock-version": "1.0", "created-by": "test", "packages": list(entries)}
    places = Places(base=Path(), lock_folder=Path())
    return packages_for(Pylock.from_dict(data), universal(), places=places, sources=sources)


def files(*entries: dict[str, Any], sources: Collection[str] = ()) -> list[str]:
    return [each.file.name for each in chosen(*entries, sources=sources)]


def test_the_pure_wheel_is_taken_even_where_a_native_one_exists() -> None:
    assert files(package("a", NATIVE, "py3-none-any")) == ["a-1.0-py3-none-any.whl"]


def test_everything_that_is_not_pure_is_named_at_once() -> None:
    with pytest.raises(NotPureError) as caught:
        chosen(package("b", NATIVE), package("ok", "py3-none-any"), package("a", NATIVE, "py312-none-any"))
    assert "`a`, `b` prevent a universal layer" in caught.value.message
    assert len(caught.value.details) == 2
    assert "--universal" in (caught.value.hint or "")
    assert caught.value.exit_code == 3


def test_what_has_an_sdist_besides_native_wheels_is_not_built_unasked() -> None:
    entry = package("a", NATIVE, sdist=SDIST)
    with pytest.raises(NotPureError):
        chosen(entry)
    assert files(entry, sources=["a"]) == ["a-1.0.tar.gz"]


def test_what_has_only_an_sdist_is_built() -> None:
    assert files(package("a", sdist=SDIST)) == ["a-1.0.tar.gz"]


@pytest.mark.parametrize(
    ("marker", "there"),
    [
        ("python_version < '3.10'", True),
        ("python_version >= '3.12'", True),
        ("platform_machine == 'aarch64'", True),
        ("sys_platform == 'win32'", False),
        ("python_version < '3.9'", False),
        ("python_version >= '3.13'", False),
    ],
)
def test_a_dependency_is_there_if_any_runtime_needs_it(marker: str, there: bool) -> None:
    assert bool(chosen(package("a", "py3-none-any", marker=marker))) is there


def test_a_wheel_must_only_serve_the_runtimes_that_need_it() -> None:
    assert files(package("a", "py312-none-any", marker="python_version >= '3.12'")) == ["a-1.0-py312-none-any.whl"]


def test_two_versions_of_one_distribution_are_refused_with_their_runtimes() -> None:
    old = package("a", "py3-none-any", version="1", marker="python_version < '3.10'")
    new = package("a", "py3-none-any", version="2", marker="python_version >= '3.10'")
    with pytest.raises(MixedVersionsError) as caught:
        chosen(old, new)
    assert caught.value.details == ("`a`: 1 for python3.9; 2 for python3.12",)


def test_a_second_version_for_no_runtime_of_the_layer_does_not_matter() -> None:
    old = package("a", "py3-none-any", version="1", marker="python_version < '3.13'")
    new = package("a", "py3-none-any", version="2", marker="python_version >= '3.13'")
    assert [each.version for each in chosen(old, new)] == ["1"]


def test_what_all_runtimes_bundle_alike_is_one_pin_and_else_each_counts_under_its_python() -> None:
    target = universal("python3.11-x86_64", "python3.13-x86_64", "python3.13-arm64")
    pins = {pin.constraint for pin in bundled_pins(target, {"six", "boto3"})}
    assert pins == {
        "six==1.17.0",
        "boto3==1.42.97 ; python_version == '3.11'",
        "boto3==1.40.4 ; python_version == '3.13'",
    }


def test_for_one_target_a_pin_needs_no_marker() -> None:
    target = parse_target("python3.13-arm64")
    assert isinstance(target, PythonTarget)
    (pin,) = bundled_pins(target, {"boto3"})
    assert (pin.constraint, str(pin)) == ("boto3==1.40.4", "boto3 1.40.4")


def test_the_inputs_tell_every_target_and_no_platform() -> None:
    described = inputs_of(LockRequest(requirements=("a",)), universal(), SETTINGS)
    assert described["target"] == "universal"
    assert described["targets"] == ["python3.9-x86_64", "python3.9-arm64", "python3.12-x86_64"]
    assert "platform" not in described


def test_the_lock_file_is_called_universal() -> None:
    assert lock_file_name("my.app", universal()) == "pylock.my-app-universal.toml"


def test_uv_is_asked_once_for_all_from_the_oldest_python_on(monkeypatch: pytest.MonkeyPatch) -> None:
    found, questions = _played(monkeypatch, [('name = "a"', "py3-none-any")], LockRequest(requirements=("a",)))
    (question,) = questions
    assert (question.python, question.platform) == ("3.9.19", None)
    assert [each.name for each in found.packages] == ["a"]


def test_pins_of_a_name_with_several_versions_keep_their_markers(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [
        ('name = "a"\nmarker = "python_version >= \'3.13\'"', "py3-none-any"),
        ('name = "a"\nmarker = "python_version < \'3.13\'"', "py3-none-any"),
        ('name = "b"', "py3-none-any"),
        ('name = "gone"', "py3-none-any"),
    ]
    request = LockRequest(requirements=("a", "b"), exclusions=("gone",))
    _, questions = _played(monkeypatch, entries, request)
    assert questions[-1].constraints == (
        "a==1 ; python_version >= '3.13'",
        "a==1 ; python_version < '3.13'",
        "b==1",
    )


def _played(
    monkeypatch: pytest.MonkeyPatch, entries: list[tuple[str, str]], request: LockRequest
) -> tuple[Resolved, list[Question]]:
    """Resolve with an uv that answers each question with the packages given."""
    questions: list[Question] = []
    text = 'lock-version = "1.0"\ncreated-by = "uv"\nrequires-python = ">=3.9"\n'
    for head, tags in entries:
        name = head.split('"')[1]
        wheel = f'{{ url = "https://h.example/{name}-1-{tags}.whl", hashes = {{ sha256 = "{"0" * 64}" }} }}'
        text += f'[[packages]]\n{head}\nversion = "1"\nwheels = [{wheel}]\n'

    def ask(question: Question, _: Any) -> Completed:
        questions.append(question)
        return Completed(status=0, stdout=text, stderr="")

    monkeypatch.setattr(resolving, "ask", ask)
    return resolve(request, universal(), settings=SETTINGS, folder=Path()), questions


def test_of_several_versions_the_lowest_is_tried_for_all() -> None:
    packages = [{"name": name, "version": version} for name, version in (("a", "10"), ("a", "9"), ("b", "1"))]
    packages += [{"name": "gone", "version": version} for version in ("1", "2")]
    assert lowest_pins({"packages": packages}, besides=["gone"]) == ("a==9",)
