"""What goes into a lock's digest, and what must not."""

import ast
from pathlib import Path

from layerkit.index import IndexSettings
from layerkit.lock import inputs, obtain
from layerkit.lock.inputs import LockRequest, credentials_in, inputs_of, without_credentials
from layerkit.model.lock import digest_of_inputs
from layerkit.model.target import PythonTarget, parse_target


def target_of(text: str = "python3.12-x86_64") -> PythonTarget:
    target = parse_target(text)
    assert isinstance(target, PythonTarget)
    return target


SETTINGS = IndexSettings(urls=("https://mirror.example/simple",))


def digest(request: LockRequest, target: str = "python3.12-x86_64", settings: IndexSettings = SETTINGS) -> str:
    return digest_of_inputs(inputs_of(request, target_of(target), settings))


def test_the_order_of_requirements_does_not_matter() -> None:
    assert digest(LockRequest(requirements=("a", "b"))) == digest(LockRequest(requirements=("b", " a ")))


def test_everything_that_shapes_a_lock_changes_the_digest() -> None:
    requests = [
        LockRequest(requirements=("a",)),
        LockRequest(requirements=("a>1",)),
        LockRequest(requirements=("a",), constraints=("b<2",)),
        LockRequest(requirements=("a",), hashes={"a==1": ("sha256:00",)}),
        LockRequest(requirements=("a",), exclusions=("boto3",)),
        LockRequest(requirements=("a",), exclude_newer="2024-01-01"),
        LockRequest(requirements=("a",), no_binary=("a",)),
        LockRequest(requirements=("a",), no_build=True),
        LockRequest(requirements=("a",), prereleases=True),
    ]
    digests = {digest(request) for request in requests} | {
        digest(requests[0], "python3.12-arm64"),
        digest(requests[0], "python3.13-x86_64"),
        digest(requests[0], settings=IndexSettings(urls=(), project={"urls": ["https://own.example/simple"]})),
    }
    assert len(digests) == len(requests) + 3


def test_a_mirror_of_this_machine_does_not_change_the_digest() -> None:
    request = LockRequest(requirements=("a",))
    assert digest(request) == digest(request, settings=IndexSettings(urls=("https://pypi.org/simple",)))


def test_a_folder_of_wheels_counts_by_its_name_not_by_where_it_lies() -> None:
    request = LockRequest(requirements=("a",))
    here, there, other = (
        IndexSettings(urls=(), project={"find-links": [folder]})
        for folder in ("/home/a/wheels", "/b/wheels", "/b/others")
    )
    assert digest(request, settings=here) == digest(request, settings=there) != digest(request, settings=other)


def test_passwords_in_requirements_are_neither_described_nor_shown() -> None:
    request = LockRequest(requirements=("a @ https://me:s3cret@host.example/a-1-py3-none-any.whl",))
    assert "s3cret" not in str(inputs_of(request, target_of(), SETTINGS)) + repr(request)


def test_passwords_are_kept_for_whoever_fetches() -> None:
    found = credentials_in(["a @ https://me:p%40ss@host.example:8443/a.whl ; python_version > '3'", "b>=1"])
    assert [(host, each.username, each.password) for host, each in found.items()] == [
        ("host.example:8443", "me", "p@ss")
    ]


def test_an_at_sign_in_a_path_is_no_password() -> None:
    assert without_credentials("a @ https://host.example/x@1/a.whl") == "a @ https://host.example/x@1/a.whl"


def test_describing_the_inputs_imports_nothing_of_packaging() -> None:
    modules = (inputs, obtain)
    texts = [Path(str(module.__file__)).read_text(encoding="utf-8") for module in modules]
    imported = [
        node for text in texts for node in ast.parse(text).body if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    named = {getattr(node, "module", None) or node.names[0].name for node in imported}
    assert "layerkit.model.universal" in named
    assert not {name for name in named if name.startswith(("packaging", "requests", "layerkit.lock.resolve"))}


def test_what_must_be_a_wheel_makes_another_lock() -> None:
    parsed = parse_target("python3.12-x86_64")
    assert isinstance(parsed, PythonTarget)
    request = LockRequest(requirements=("a",), only_binary=("A_b",))
    assert inputs_of(request, parsed, IndexSettings(urls=()))["only-binary"] == ["a-b"]
