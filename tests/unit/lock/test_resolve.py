"""The strategy around uv: exclusions in two steps, sdists only where no wheel will do. uv's part is played here."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from layerkit.index import IndexSettings
from layerkit.lock import availability, resolve
from layerkit.lock.failures import (
    BundledConflictError,
    InvalidDateError,
    InvalidRequirementsError,
    NoWheelError,
    UnsupportedSourceError,
)
from layerkit.lock.inputs import LockRequest
from layerkit.lock.resolve import Resolved
from layerkit.lock.uv import Question, clean_environment
from layerkit.model.target import PythonTarget, parse_target
from layerkit.sandbox.process import Completed

Answer = Callable[[Question], Completed]
SETTINGS = IndexSettings(urls=())


def resolved(request: LockRequest, target: str = "python3.12-x86_64") -> Resolved:
    parsed = parse_target(target)
    assert isinstance(parsed, PythonTarget)
    return resolve.resolve(request, parsed, settings=SETTINGS, folder=Path())


def good(*pins: str, source: str = "", tags: str = "py3-none-any") -> Completed:
    lines = [
        'lock-version = "1.0"',
        'created-by = "uv"',
        'requires-python = ">=3.9"',
        *([] if pins else ["packages = []"]),
    ]
    for name, version in (pin.split("==") for pin in pins):
        hashes = f'hashes = {{ sha256 = "{"0" * 64}" }}'
        lines += ["[[packages]]", f'name = "{name}"', f'version = "{version}"']
        if name == source:
            lines.append(f'sdist = {{ url = "https://h.example/{name}-{version}.tar.gz", {hashes} }}')
        else:
            lines.append(f'wheels = [{{ url = "https://h.example/{name}-{version}-{tags}.whl", {hashes} }}]')
    return Completed(status=0, stdout="\n".join(lines), stderr="")


def refused(cause: str) -> Completed:
    return Completed(
        status=1, stdout="", stderr=f"error: No solution found when resolving dependencies\n  cause: {cause}.\n"
    )


@pytest.fixture
def uv(monkeypatch: pytest.MonkeyPatch) -> Callable[[Answer], list[Question]]:
    def play(answer: Answer) -> list[Question]:
        questions: list[Question] = []

        def ask(question: Question, _: Any) -> Completed:
            questions.append(question)
            return answer(question)

        monkeypatch.setattr(resolve, "ask", ask)
        monkeypatch.setattr(availability, "ask", ask)
        return questions

    return play


Uv = Callable[[Answer], list[Question]]


def names(found: Resolved) -> list[str]:
    return [package.file.name for package in found.packages]


def test_wheels_are_asked_for_first_and_only_the_names_that_failed_become_sdists(uv: Uv) -> None:
    def answer(question: Question) -> Completed:
        if question.platform is None:
            return refused("Because all versions of docopt have no usable wheels and you require docopt")
        if "docopt" in question.sources:
            return good("docopt==0.6.2", "a==1", source="docopt")
        return refused("Because all versions of docopt have no usable wheels and you require docopt")

    questions = uv(answer)
    assert names(resolved(LockRequest(requirements=("docopt", "a")))) == ["a-1-py3-none-any.whl", "docopt-0.6.2.tar.gz"]
    assert [question.sources for question in questions if question.platform] == [(), ("docopt",)]


def test_of_several_names_one_is_tried_before_all(uv: Uv) -> None:
    def answer(question: Question) -> Completed:
        if question.platform and question.sources == ("b",):
            return good("a==1", "b==1", source="b")
        return refused("Because a==2 has no usable wheels and b==1 has no usable wheels and you require b")

    uv(answer)
    assert names(resolved(LockRequest(requirements=("a", "b")))) == ["a-1-py3-none-any.whl", "b-1.tar.gz"]


def test_nothing_becomes_an_sdist_where_nothing_may_be_built(uv: Uv) -> None:
    questions = uv(lambda _: refused("Because all versions of docopt have no usable wheels and you require docopt"))
    with pytest.raises(NoWheelError) as caught:
        resolved(LockRequest(requirements=("docopt",), no_build=True))
    assert "--no-build" in (caught.value.hint or "")
    assert not any(question.sources for question in questions)


def test_a_version_with_wheels_for_other_targets_is_refused_and_they_are_named(uv: Uv) -> None:
    def answer(question: Question) -> Completed:
        if question.platform is None:
            return good("a==1", tags="cp39-cp39-manylinux2014_aarch64")
        if question.sources:
            return good("a==1", source="a")
        return refused("Because a==1 has no usable wheels and you require a==1")

    uv(answer)
    with pytest.raises(NoWheelError) as caught:
        resolved(LockRequest(requirements=("a==1",)))
    assert caught.value.details == ("wheels exist for python3.9-arm64",)


def test_a_wheel_that_only_the_full_tags_admit_is_taken_rather_than_the_sdist(uv: Uv) -> None:
    def answer(question: Question) -> Completed:
        if question.platform is None:
            return good("a==1", tags="cp311-cp311-manylinux_2_24_x86_64")
        if question.sources:
            return good("a==1", source="a")
        return refused("Because a==1 has no usable wheels and you require a==1")

    uv(answer)
    found = resolved(LockRequest(requirements=("a==1",)), "python3.11-x86_64")
    assert names(found) == ["a-1-cp311-cp311-manylinux_2_24_x86_64.whl"]


def test_names_asked_to_be_sdists_are_so_from_the_start(uv: Uv) -> None:
    questions = uv(lambda _: good("a==1", source="a"))
    assert names(resolved(LockRequest(requirements=("a",), no_binary=("A",)))) == ["a-1.tar.gz"]
    assert [question.sources for question in questions] == [("a",)]


def test_exclusions_are_resolved_twice_with_the_first_answer_as_constraints(uv: Uv) -> None:
    questions = uv(
        lambda question: good("app==1", "dep==2") if question.excludes else good("app==1", "dep==2", "gone==3")
    )
    assert names(resolved(LockRequest(requirements=("app",), exclusions=("Gone",)))) == [
        "app-1-py3-none-any.whl",
        "dep-2-py3-none-any.whl",
    ]
    assert [(question.excludes, question.constraints) for question in questions] == [
        ((), ()),
        (("gone",), ("app==1", "dep==2")),
    ]


def test_what_the_runtime_bundles_of_the_excluded_counts_in_its_version(uv: Uv) -> None:
    questions = uv(lambda _: good("app==1"))
    resolved(LockRequest(requirements=("app",), exclusions=("botocore",)))
    target = parse_target("python3.12-x86_64")
    assert isinstance(target, PythonTarget)
    bundled = {each.name: each.version for each in target.runtime.bundled}
    assert [question.constraints for question in questions] == [(f"botocore=={bundled['botocore']}",)]


def test_requirements_that_do_not_fit_what_is_bundled_are_told_as_such(uv: Uv) -> None:
    uv(
        lambda question: (
            refused("Because you require boto3>=99 and boto3==1") if question.constraints else good("boto3==99")
        )
    )
    with pytest.raises(BundledConflictError, match="boto3"):
        resolved(LockRequest(requirements=("boto3>=99",), exclusions=("boto3",)))


def test_what_is_no_requirement_is_refused_before_uv_sees_it(uv: Uv) -> None:
    questions = uv(lambda _: good())
    with pytest.raises(InvalidRequirementsError) as caught:
        resolved(LockRequest(requirements=("a\n--index-url https://evil.example", "-r x", "b bad", "c")))
    assert (len(caught.value.details), questions) == (3, [])


def test_a_date_that_nobody_can_read_is_refused(uv: Uv) -> None:
    questions = uv(lambda _: good())
    with pytest.raises(InvalidDateError, match="`last week`"):
        resolved(LockRequest(requirements=("a",), exclude_newer="last week"))
    assert not questions


def test_repositories_are_refused_before_they_are_cloned(uv: Uv) -> None:
    questions = uv(lambda _: good())
    with pytest.raises(UnsupportedSourceError):
        resolved(LockRequest(requirements=("a @ git+https://h.example/a",)))
    assert not questions


def test_variables_that_would_shape_a_resolution_unseen_do_not_reach_uv() -> None:
    environ = {"UV_PRERELEASE": "allow", "UV_EXCLUDE_NEWER": "2020-01-01", "UV_CACHE_DIR": "/c", "PATH": "/bin"}
    assert clean_environment(environ) == {"UV_CACHE_DIR": "/c", "PATH": "/bin"}


def test_what_must_be_a_wheel_does_not_become_an_sdist(uv: Uv) -> None:
    questions = uv(lambda _: refused("Because all versions of docopt have no usable wheels and you require docopt"))
    with pytest.raises(NoWheelError):
        resolved(LockRequest(requirements=("docopt",), only_binary=("Docopt",)))
    assert [question.sources for question in questions if question.platform] == [()]


def test_exclusions_that_nothing_needs_are_named(uv: Uv) -> None:
    uv(lambda _: good("a==1", "b==1"))
    assert resolved(LockRequest(requirements=("a",), exclusions=("b", "botcore"))).needless == ("botcore",)
    assert resolved(LockRequest(requirements=("a",), exclusions=("botcore",))).needless == ("botcore",)
