"""What a runtime brings itself: made in the folder for temporary files, kept in the cache."""

import errno
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from layerkit import bundled
from layerkit.bundled import NoRuntime, Source, bundled_folder
from layerkit.cache import Cache
from layerkit.errors import FetchError
from layerkit.model.target import PythonTarget, parse_target
from layerkit.progress import Silent


class NoCompiler:
    """Leaves everything as it is."""

    build = "3.12"

    def compile(self, folder: Path) -> None:
        """Compile nothing."""


def made(cache: Path) -> Path:
    target = parse_target("python3.12-x86_64")
    assert isinstance(target, PythonTarget)
    return bundled_folder(target, NoCompiler(), cache=Cache(cache), progress=Silent(), source=Source())


def test_the_cache_may_be_on_another_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def zip_of(_target: object, folder: Path, *_: object, **__: object) -> Path:
        path = folder / "layer.zip"
        with zipfile.ZipFile(path, "w") as out:
            out.writestr("python/boto3/__init__.py", "HERE = 1")
            out.writestr("python/six.py", "")
        return path

    def beyond(move: Callable[..., None]) -> Callable[..., None]:
        def moved(source: Any, target: Any, **options: Any) -> None:
            if not Path(source).is_relative_to(tmp_path):
                raise OSError(errno.EXDEV, "Invalid cross-device link")
            move(source, target, **options)

        return moved

    monkeypatch.setattr(bundled, "_zip_of", zip_of)
    for name in ("rename", "replace"):
        monkeypatch.setattr(os, name, beyond(getattr(os, name)))
    folder = made(tmp_path / "cache")
    assert (folder / "boto3" / "__init__.py").read_text() == "HERE = 1"
    assert (folder / "six.py").exists()


def test_what_cannot_be_had_is_a_failure_to_fetch() -> None:
    failure = NoRuntime(runtime="python3.12", failure=FetchError("offline", hint="run once without `--offline`"))
    assert failure.exit_code == FetchError.exit_code
    assert failure.hint == "run once without `--offline`"
