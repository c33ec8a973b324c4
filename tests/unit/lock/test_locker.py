"""PEP 751 files of any tool -> one target's packages."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from packaging.pylock import Pylock

from layerkit.lock.failures import HashMismatchError, MissingFileError, MissingHashesError, UnsupportedSourceError
from layerkit.lock.locker import Allowed, packages_for
from layerkit.lock.placement import Places, SelectionError
from layerkit.model.lock import LockedPackage
from layerkit.model.target import PythonTarget, parse_target

H1, H2 = "1" * 64, "2" * 64


def chosen(
    tmp_path: Path, *entries: dict[str, Any], target: str = "python3.12-x86_64", **options: Any
) -> tuple[LockedPackage, ...]:
    data = {"lock-version": "1.0", "created-by": "test", "packages": list(entries), **options.pop("top", {})}
    parsed = parse_target(target)
    assert isinstance(parsed, PythonTarget)
    places = Places(base=tmp_path, lock_folder=tmp_path / "locks")
    return packages_for(Pylock.from_dict(data), parsed, places=places, **options)


def wheel(name: str, sha256: str = H1, **more: Any) -> dict[str, Any]:
    return {"url": f"https://h.example/{name}", "hashes": {"sha256": sha256}, "size": 1} | more


def package(name: str, *wheels: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "version": "1.0", **({"wheels": list(wheels)} if wheels else {}), **more}


SDIST = {"url": "https://h.example/a-1.0.tar.gz", "hashes": {"sha256": H2}}


def test_the_wheel_with_the_best_tag_is_taken(tmp_path: Path) -> None:
    names = [
        "a-1.0-py3-none-any.whl",
        "a-1.0-cp39-abi3-manylinux2014_x86_64.whl",
        "a-1.0-cp312-cp312-manylinux_2_17_x86_64.whl",
    ]
    (found,) = chosen(tmp_path, package("a", *map(wheel, names)))
    assert found.file.name == names[2]


def test_the_highest_build_of_equal_tags_is_taken(tmp_path: Path) -> None:
    (found,) = chosen(tmp_path, package("a", *(wheel(f"a-1.0-{build}-py3-none-any.whl") for build in (2, 10, 9))))
    assert found.file.name == "a-1.0-10-py3-none-any.whl"


@pytest.mark.parametrize("platform", ["musllinux_1_2_x86_64", "linux_x86_64", "manylinux_2_35_x86_64", "win_amd64"])
def test_a_wheel_that_does_not_run_there_is_refused_by_name(tmp_path: Path, platform: str) -> None:
    with pytest.raises(
        SelectionError, match=f"`a` 1.0 has no wheel for python3.12-x86_64, only a-1.0-cp312-cp312-{platform}"
    ):
        chosen(tmp_path, package("a", wheel(f"a-1.0-cp312-cp312-{platform}.whl")))


def test_a_wheel_between_the_platforms_that_uv_knows_runs_on_amazon_linux_2(tmp_path: Path) -> None:
    (found,) = chosen(
        tmp_path, package("a", wheel("a-1.0-cp311-cp311-manylinux_2_26_x86_64.whl")), target="python3.11-x86_64"
    )
    assert found.file.is_wheel


def test_every_package_without_a_wheel_is_named(tmp_path: Path) -> None:
    entries = [package(name, wheel(f"{name}-1.0-cp312-cp312-win32.whl")) for name in ("a", "b")]
    with pytest.raises(SelectionError) as caught:
        chosen(tmp_path, *entries)
    assert len(caught.value.problems) == 2


def test_an_sdist_does_not_stand_in_for_wheels_of_other_platforms(tmp_path: Path) -> None:
    entry = package("a", wheel("a-1.0-cp312-cp312-win32.whl"), sdist=SDIST)
    with pytest.raises(SelectionError):
        chosen(tmp_path, entry)
    (found,) = chosen(tmp_path, entry, sources=["A"])
    assert found.file.name == "a-1.0.tar.gz"


def test_markers_are_evaluated_for_the_target(tmp_path: Path) -> None:
    entries = [
        package("a", wheel("a-1.0-py3-none-any.whl"), marker="sys_platform == 'win32'"),
        package("b", wheel("b-1.0-py3-none-any.whl"), marker="platform_machine == 'aarch64'"),
    ]
    assert [each.name for each in chosen(tmp_path, *entries, target="python3.12-arm64")] == ["b"]


def test_a_lock_for_another_python_does_not_cover_the_target(tmp_path: Path) -> None:
    with pytest.raises(SelectionError, match=r"3\.13"):
        chosen(tmp_path, package("a", wheel("a-1.0-py3-none-any.whl")), top={"requires-python": ">=3.13"})


def test_urls_lose_credentials_and_fragments(tmp_path: Path) -> None:
    url = "https://me:s3cret@h.example:8443/x/a-1.0-py3-none-any.whl?token=1#sha256=00"
    (found,) = chosen(tmp_path, package("a", wheel("a-1.0-py3-none-any.whl", url=url)))
    assert found.file.url == "https://h.example:8443/x/a-1.0-py3-none-any.whl?token=1"


def test_an_archive_is_a_file_like_others(tmp_path: Path) -> None:
    archive = {"url": "https://h.example/a%2B-1.0%2Bcpu-py3-none-any.whl", "hashes": {"sha256": H1}}
    (found,) = chosen(
        tmp_path, {"name": "a", "archive": archive | {"url": "https://h.example/a-1.0%2Bcpu-py3-none-any.whl"}}
    )
    assert (found.version, found.file.name) == ("1.0+cpu", "a-1.0+cpu-py3-none-any.whl")


def test_an_archive_for_another_platform_is_refused(tmp_path: Path) -> None:
    archive = {"url": "https://h.example/a-1.0-cp312-cp312-win32.whl", "hashes": {"sha256": H1}}
    with pytest.raises(SelectionError, match="`a` has no wheel"):
        chosen(tmp_path, {"name": "a", "version": "1.0", "archive": archive})


def test_local_files_are_recorded_relative_to_the_lock_with_size(tmp_path: Path) -> None:
    local = tmp_path / "find links" / "a-1.0-py3-none-any.whl"
    local.parent.mkdir()
    local.write_bytes(b"1234")
    (found,) = chosen(tmp_path, package("a", {"url": local.as_uri(), "hashes": {"sha256": H1}}))
    assert (found.file.path, found.file.url, found.file.size) == ("../find links/a-1.0-py3-none-any.whl", None, 4)


def test_a_local_file_without_sha256_gets_one(tmp_path: Path) -> None:
    (tmp_path / "a-1.0-py3-none-any.whl").write_bytes(b"1234")
    (found,) = chosen(tmp_path, package("a", {"path": "a-1.0-py3-none-any.whl", "hashes": {"md5": "0"}}))
    assert found.file.sha256 == hashlib.sha256(b"1234").hexdigest()


def test_a_local_file_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError):
        chosen(tmp_path, package("a", {"path": "a-1.0-py3-none-any.whl", "hashes": {"sha256": H1}}))


def test_a_remote_file_without_sha256_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SelectionError, match="no sha256"):
        chosen(tmp_path, package("a", wheel("a-1.0-py3-none-any.whl", hashes={"sha512": "0"})))


def test_repositories_and_folders_are_refused_together(tmp_path: Path) -> None:
    vcs = {"type": "git", "url": "https://h.example/x", "commit-id": "0"}
    with pytest.raises(UnsupportedSourceError) as caught:
        chosen(tmp_path, {"name": "a", "vcs": vcs}, {"name": "b", "directory": {"path": "."}})
    assert caught.value.details == ("`a` comes from a repository", "`b` comes from a folder")


def test_excluded_packages_are_left_out_before_anything_is_held_against_them(tmp_path: Path) -> None:
    entries = [{"name": "b", "directory": {"path": "."}}, package("a", wheel("a-1.0-py3-none-any.whl"))]
    assert [each.name for each in chosen(tmp_path, *entries, without=["B"])] == ["a"]


def test_the_best_file_whose_hash_is_allowed_is_taken(tmp_path: Path) -> None:
    wheels = [wheel("a-1.0-cp312-cp312-manylinux_2_17_x86_64.whl", H1), wheel("a-1.0-py3-none-any.whl", H2)]
    allowed = Allowed(hashes={"a==1": (f"sha256:{H2}",)}, everywhere=True)
    (found,) = chosen(tmp_path, package("a", *wheels), allowed=allowed)
    assert found.file.name == "a-1.0-py3-none-any.whl"


def test_a_wrong_hash_names_both(tmp_path: Path) -> None:
    allowed = Allowed(hashes={"a==1.0": (f"sha256:{H2}",)}, everywhere=True)
    with pytest.raises(HashMismatchError) as caught:
        chosen(tmp_path, package("a", wheel("a-1.0-py3-none-any.whl", H1)), allowed=allowed)
    assert H1 in caught.value.details[0]
    assert H2 in caught.value.details[0]
    assert caught.value.exit_code == 4


def test_if_one_has_hashes_all_must(tmp_path: Path) -> None:
    allowed = Allowed(hashes={"a==1.0": (f"sha256:{H1}",)}, everywhere=True)
    entries = [package("a", wheel("a-1.0-py3-none-any.whl")), package("b", wheel("b-1.0-py3-none-any.whl"))]
    with pytest.raises(MissingHashesError) as caught:
        chosen(tmp_path, *entries, allowed=allowed)
    assert caught.value.details == ("b==1.0",)


def needing(name: str, *needs: str) -> dict[str, Any]:
    return package(name, wheel(f"{name}-1.0-py3-none-any.whl"), dependencies=[{"name": each} for each in needs])


def test_what_only_the_excluded_needed_goes_with_it(tmp_path: Path) -> None:
    entries = [needing("a", "b", "shared"), needing("b", "c"), needing("c", "shared", "b"), needing("shared")]
    assert [each.name for each in chosen(tmp_path, *entries, without=["B"])] == ["a", "shared"]


def test_where_the_lock_tells_of_no_dependencies_only_the_excluded_goes(tmp_path: Path) -> None:
    entries = [package(name, wheel(f"{name}-1.0-py3-none-any.whl")) for name in ("a", "b")]
    assert [each.name for each in chosen(tmp_path, *entries, without=["a"])] == ["b"]
