"""A workbench for each test, and transcripts to hold answers to."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers import SimpleIndex
from tests.workbench import Answer, Workbench, add_wheel, call

_TRANSCRIPTS = Path(__file__).parent / "transcripts"


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    """Serve a few packages; this process stands in the folder to work in."""
    for folder in ("shelf", "work"):
        (tmp_path / folder).mkdir()
    add_wheel(tmp_path / "shelf", "app", needs=["dep>=1"], scripts={"app": "app:answer"})
    add_wheel(tmp_path / "shelf", "dep", "1.0")
    add_wheel(tmp_path / "shelf", "dep", "2.0")
    with SimpleIndex(tmp_path / "shelf") as index:
        bench = Workbench(root=tmp_path, index=index)
        for name in list(os.environ):
            if name.startswith(("UV_", "PIP_", "LAYERKIT_")) and name != "LAYERKIT_TESTS_MUST_RUN":
                monkeypatch.delenv(name)
        for name, value in bench.settings().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("COLUMNS", "100")
        monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
        monkeypatch.chdir(bench.work)
        yield bench


@pytest.fixture
def run(bench: Workbench, capfd: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Run layerkit in this process; what differs from run to run is normalised."""

    def run(*argv: str | Path) -> Answer:
        capfd.readouterr()
        code = call(*argv)
        said = capfd.readouterr()
        return Answer(code=code, stdout=bench.normalize(said.out), stderr=bench.normalize(said.err))

    return run


@pytest.fixture
def transcript(request: pytest.FixtureRequest) -> Callable[[Answer], None]:
    """Hold an answer to the transcript named like the test; ``LAYERKIT_WRITE_TRANSCRIPTS`` writes it instead."""

    def check(answer: Answer) -> None:
        path = _TRANSCRIPTS / f"{request.node.name.removeprefix('test_').replace('[', '-').rstrip(']')}.txt"
        if _WRITE:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(str(answer).encode())
        assert str(answer) == path.read_bytes().decode()

    return check


_WRITE = bool(os.environ.get("LAYERKIT_WRITE_TRANSCRIPTS"))
