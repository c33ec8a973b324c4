"""What a function sees in namespaces of its own, as a table of mounts."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from layerkit.invoke.scenery import Parts, Scenery


def scenery(folder: Path, **changes: Any) -> Scenery:
    for name in ("scene", "my code", "opt", "bundled", "python/bin", "python/lib/python3.12/site-packages"):
        (folder / name).mkdir(parents=True)
    said: dict[str, Any] = {
        "parts": Parts(code=folder / "my code", opt=folder / "opt", bundled=folder / "bundled"),
        "scene": folder / "scene",
        "bundled_at": "/var/lang/lib/python3.12/site-packages",
        "python": folder / "python/bin/python3.12",
        "version": "3.12",
        "prefix": folder / "python",
        "tmp_mib": 512,
    }
    return Scenery(**(said | changes))


def mounts(said: Scenery, folder: Path) -> list[list[str]]:
    """Return source, target, type and options of each mount, without the folder of this test."""
    return [line.replace(str(folder), "").split(" ")[:4] for line in said.build().splitlines()]


def test_everything_is_bound_before_anything_is_hidden(tmp_path: Path) -> None:
    found = mounts(scenery(tmp_path), tmp_path)
    read_only = "bind,ro,nosuid,nodev"
    assert found[:6] == [
        ["/my\\040code", "/scene/task", "none", read_only],
        ["/python", "/scene/lang", "none", read_only],
        ["/bundled", "/scene/lang/lib/python3.12/site-packages", "none", read_only],
        ["/opt", "/opt", "none", read_only],
        ["/scene", "/var", "none", f"r{read_only}"],
        ["layerkit", "/tmp", "tmpfs", "mode=1777,size=512m"],  # noqa: S108
    ]


def test_older_runtimes_find_their_own_in_another_place_too(tmp_path: Path) -> None:
    found = [target for _, target, *_ in mounts(scenery(tmp_path, bundled_at="/var/runtime"), tmp_path)]
    assert found[2:4] == ["/scene/lang/lib/python3.12/site-packages", "/scene/runtime"]


def test_an_interpreter_that_cannot_be_moved_is_linked_to(tmp_path: Path) -> None:
    found = [target for _, target, *_ in mounts(scenery(tmp_path, prefix=None), tmp_path)]
    assert "/scene/lang" not in found
    assert found[1] == "/scene/lang/lib/python3.12/site-packages"
    assert (tmp_path / "scene/lang/bin/python3").readlink() == tmp_path / "python/bin/python3.12"


def test_the_programs_lie_beside_each_other(tmp_path: Path) -> None:
    scenery(tmp_path).build()
    assert sorted(path.name for path in (tmp_path / "scene").glob("*.py")) == ["bootstrap.py", "watch_function.py"]


def test_what_may_not_be_executed_stays_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is not root may not take the flag away."""
    said = scenery(tmp_path)
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=os.ST_NOEXEC))
    assert mounts(said, tmp_path)[0][3] == "bind,ro,nosuid,nodev,noexec"
