"""Which tools go into a place: our own versions where its Python takes them."""

import importlib.metadata
from pathlib import Path

import pytest

from layerkit.cache import Cache
from layerkit.index import IndexSettings
from layerkit.sandbox.toolbox import Toolbox, versions_in

SETTINGS = IndexSettings(urls=())


def test_a_python_like_ours_gets_the_very_tools_that_are_installed_here() -> None:
    box = Toolbox.plan("3.13")
    assert box.carried
    assert f"auditwheel=={importlib.metadata.version('auditwheel')}" in box.requirements
    assert f"pip-tools=={importlib.metadata.version('pip-tools')}" in box.requirements


def test_what_the_tools_need_comes_along() -> None:
    names = {requirement.partition("==")[0] for requirement in Toolbox.plan("3.13").requirements}
    assert {"pyelftools", "packaging", "click", "pyproject-hooks"} <= names


def test_an_old_python_gets_our_versions_only_where_it_takes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = importlib.metadata.distribution

    class Old:
        version = "9.9"
        requires = ()
        files = ()

        class metadata:  # noqa: N801 -- the name of the attribute
            json = {"requires_python": ">=3.11"}  # noqa: RUF012

    class Kind(Old):
        version = "1.2"

        class metadata:  # noqa: N801 -- the name of the attribute
            json = {"requires_python": ">=3.8"}  # noqa: RUF012

    made_up = {"auditwheel": Old, "pip": Kind}
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: made_up.get(name) or installed(name))
    box = Toolbox.plan("3.9")
    assert not box.carried
    assert "auditwheel" in box.requirements
    assert "pip==1.2" in box.requirements


def test_the_identity_tells_pythons_apart() -> None:
    assert Toolbox.plan("3.12").identity != Toolbox.plan("3.13").identity
    assert Toolbox.plan("3.13").identity == Toolbox.plan("3.13").identity


def test_carried_tools_are_complete_and_hold_nothing_compiled(tmp_path: Path) -> None:
    box = Toolbox.plan("3.13")
    with box.unpacked(cache=Cache(tmp_path), settings=SETTINGS) as folder:
        assert (folder / "pip" / "__init__.py").is_file()
        assert (folder / "auditwheel" / "policy").is_dir()
        assert versions_in(folder)["auditwheel"] == importlib.metadata.version("auditwheel")
        assert not list(folder.rglob("*.pyc"))
    assert list(tmp_path.iterdir()) == []
