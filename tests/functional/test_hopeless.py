"""What cannot fit is refused before it is downloaded."""

from pathlib import Path

import pytest

from layerkit.cli.main import main

LOCK = """\
lock-version = "1.0"
created-by = "somebody"

[[packages]]
name = "giant"
version = "1.0"
wheels = [{{ name = "giant-1.0-py3-none-any.whl", url = "https://example.invalid/giant-1.0-py3-none-any.whl", \
size = {size}, hashes = {{ sha256 = "{digest}" }} }}]
"""


def build(folder: Path, size: int, *more: str) -> int:
    lock = folder / "pylock.toml"
    lock.write_text(LOCK.format(size=size, digest="0" * 64), encoding="utf-8")
    options = ["--name=giant", "--runtime=python3.13", "--offline", f"--out={folder / 'dist'}"]
    return main(["build", "-r", str(lock), f"--cache-dir={folder / 'cache'}", *options, *more])


def test_wheels_over_the_limit_are_refused_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build(tmp_path, 262_144_000) == 6
    told = capsys.readouterr().err
    assert "layer giant for python3.13 x86_64 cannot fit: its wheels are 250.0 MiB zipped" in told
    assert "giant 1.0: 250.0 MiB zipped" in told
    assert "`--exclude`" in told


@pytest.mark.parametrize("more", [(), ("--force",), ("--drop=giant/data/**",)])
def test_what_may_still_fit_is_tried(tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...]) -> None:
    """One byte less, or options that change the verdict: the download is what fails here, as there is no network."""
    size = 262_144_000 if more else 262_143_999
    assert build(tmp_path, size, *more) == 4
    assert "giant-1.0-py3-none-any.whl" in capsys.readouterr().err
