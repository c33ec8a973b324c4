"""parse after format gives the lock back, whatever it holds."""

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from packaging.pylock import Pylock

from layerkit.model.lock import Lock, LockedFile, LockedPackage, digest_of_inputs

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
VALUES = st.recursive(
    TEXT | st.booleans() | st.integers(-(2**60), 2**60),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
INPUTS = st.dictionaries(TEXT, VALUES, max_size=4)
NAMES = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,6}[a-z0-9])?", fullmatch=True).filter(lambda name: "--" not in name)


@st.composite
def packages(draw: st.DrawFn) -> LockedPackage:
    name = draw(NAMES)
    version = draw(st.from_regex(r"[1-9][0-9]{0,2}(\.[0-9]{1,2}){0,2}", fullmatch=True))
    ending = draw(st.sampled_from(["-py3-none-any.whl", ".tar.gz"]))
    file_name = f"{name.replace('-', '_')}-{version}{ending}"
    place = draw(st.sampled_from(["url", "path"]))
    folder = draw(st.text(st.characters(codec="utf-8", exclude_characters="?#/\\[]"), min_size=1, max_size=8))
    return LockedPackage(
        name=name,
        version=version,
        file=LockedFile(
            name=file_name,
            url=f"https://h.example/x{folder}/{file_name}" if place == "url" else None,
            path=f"{folder}/{file_name}" if place == "path" else None,
            size=draw(st.none() | st.integers(0, 2**40)),
            sha256=draw(st.from_regex(r"[0-9a-f]{64}", fullmatch=True)),
        ),
    )


LOCKS = st.builds(
    lambda inputs, found: Lock(
        target="python3.12-arm64",
        requires_python=">=3.12.1",
        inputs=inputs,
        packages=tuple(sorted({package.name: package for package in found}.values(), key=lambda package: package.name)),
    ),
    INPUTS,
    st.lists(packages(), max_size=4),
)


@given(LOCKS)
def test_parse_after_format_is_the_identity(lock: Lock) -> None:
    assert Lock.from_toml(lock.to_toml()) == lock


@given(LOCKS)
def test_format_after_parse_is_the_identity(lock: Lock) -> None:
    assert Lock.from_toml(lock.to_toml()).to_toml() == lock.to_toml()


@given(LOCKS)
def test_what_is_written_is_valid_pep_751(lock: Lock) -> None:
    assert len(Pylock.from_dict(tomllib.loads(lock.to_toml())).packages) == len(lock.packages)


@given(INPUTS, st.randoms())
def test_the_digest_is_the_same_in_any_order(inputs: dict[str, Any], random: Any) -> None:
    items = list(inputs.items())
    random.shuffle(items)
    assert digest_of_inputs(dict(items)) == digest_of_inputs(inputs)
