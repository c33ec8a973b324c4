"""Where interpreters are looked for."""

from pathlib import Path

import pytest

from layerkit.sandbox import interpreters
from layerkit.sandbox.process import Completed


def test_pyenv_may_be_where_its_variable_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "versions/3.99.1/bin/python"
    python.parent.mkdir(parents=True)
    python.touch()
    asked: list[Path] = []
    monkeypatch.setattr(interpreters, "run", lambda *_, **__: Completed(status=1, stdout="", stderr=""))
    monkeypatch.setattr(interpreters, "find_uv", lambda: "uv")
    monkeypatch.setattr(interpreters, "_ask", lambda path, _: asked.append(path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert interpreters.find_interpreter("3.99") is None
    assert asked == [python]
