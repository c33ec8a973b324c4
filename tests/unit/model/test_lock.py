"""The lock as a value and as a file."""

import tomllib

import pytest
from packaging.pylock import Pylock

from layerkit.model.lock import Lock, LockedFile, LockedPackage


def file(name: str = "a-1.0-py3-none-any.whl", **changes: object) -> LockedFile:
    fields = {"name": name, "url": f"https://h.example/{name}", "path": None, "size": 3, "sha256": "0" * 64} | changes
    return LockedFile(**fields)  # type: ignore[arg-type]


def lock(*packages: LockedPackage, **inputs: object) -> Lock:
    return Lock(target="python3.12-x86_64", requires_python=">=3.12.0", inputs=inputs, packages=packages)


A = LockedPackage(name="a", version="1.0", file=file())
B = LockedPackage(name="b", version="2", file=file("b-2.tar.gz", url=None, path="wheels/b-2.tar.gz", size=None))


def test_what_is_written_is_read_back() -> None:
    written = lock(A, B, requirements=["a"], index={"urls": ["https://h.example"]}, **{"no-build": True})
    assert Lock.from_toml(written.to_toml()) == written


def test_packages_are_written_in_order_of_name() -> None:
    assert lock(B, A).to_toml() == lock(A, B).to_toml()


def test_the_file_is_valid_pep_751() -> None:
    Pylock.from_dict(tomllib.loads(lock(A, B, requirements=["a"]).to_toml()))


def test_keys_that_toml_must_quote_are_quoted() -> None:
    written = lock(A, **{"a b.c": 1, "hashes": {"a==1": ["x"]}})
    assert Lock.from_toml(written.to_toml()) == written


def test_inputs_edited_by_hand_are_noticed() -> None:
    text = lock(A, requirements=["a"]).to_toml().replace('requirements = ["a"]', 'requirements = ["b"]')
    with pytest.raises(ValueError, match="edited by hand"):
        Lock.from_toml(text)


@pytest.mark.parametrize("text", ["", "lock-version = '1.0'\n", "[tool]\nlayerkit = 3\n", "<<<<<<< HEAD\n"])
def test_what_layerkit_did_not_write_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"layerkit|Invalid"):
        Lock.from_toml(text)


def test_the_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert lock(x=1, y=2).inputs_digest == lock(y=2, x=1).inputs_digest


def test_only_a_wheel_is_a_wheel() -> None:
    assert (A.file.is_wheel, B.file.is_wheel) == (True, False)
