"""What later layers overwrite."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from layerkit.audit.overlaps import overwritten_findings
from layerkit.model.contents import Contents
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.stack import Stack
from tests.unit.audit.holding import holding, installed

WARNING, NOTE = Severity.WARNING, Severity.NOTE
INFO = "python/demo-1.0.dist-info"


def found(*layers: Contents) -> list[Finding]:
    return list(overwritten_findings(Stack(layers=layers)))


def changed(contents: Contents, *paths: str) -> Contents:
    files = (replace(file, crc32=file.crc32 ^ 1) if file.path in paths else file for file in contents.files)
    return replace(contents, files=tuple(files))


def demo(where: str, *more: str) -> Contents:
    contents = holding(*installed("python", "demo", python="312"), *more, where=where)
    owned = (replace(file, owner="demo") if file.path in more else file for file in contents.files)
    return replace(contents, files=tuple(owned))


@pytest.mark.parametrize(
    "path",
    [
        f"{INFO}/RECORD",
        f"{INFO}/INSTALLER",
        "python/demo/__pycache__/core.cpython-312.pyc",
        "python/bin/demo.py",
    ],
)
def test_what_differs_by_who_installed_it_is_a_note(path: str) -> None:
    one, other = demo("a.zip", "python/bin/demo.py"), demo("b.zip", "python/bin/demo.py")
    (finding,) = found(one, changed(other, path))
    assert (finding.severity, finding.hint) == (NOTE, None)
    (finding,) = found(one, changed(other, path, "python/demo/core.py"))
    assert finding.severity is WARNING
    assert (
        "2 of them with other content, of which 1 may matter: `python/demo/core.py` (demo over demo)" in finding.message
    )


def test_metadata_of_nobody_that_differs_is_a_note() -> None:
    path = "python/x.dist-info/RECORD"
    (finding,) = found(holding(path, where="a.zip"), changed(holding(path, where="b.zip"), path))
    assert (finding.severity, finding.hint) == (NOTE, None)


def test_three_are_named_with_both_owners_and_all_are_listed() -> None:
    paths = [f"python/demo/{name}.py" for name in "abcd"]
    one, other = holding(*paths, where="a.zip"), demo("b.zip", *paths)
    (finding,) = found(one, changed(other, *paths))
    assert finding.message == (
        "it overwrites 4 files of a.zip, with other content: `python/demo/a.py`, `python/demo/b.py`, `python/demo/c.py`"
        " and 1 more (demo over no distribution)"
    )
    assert finding.paths == tuple(paths)


def test_each_pair_of_layers_is_one_finding_though_they_are_called_the_same() -> None:
    def layers() -> Iterator[Contents]:
        for number in range(3):
            file = holding("etc/app.toml", where="x.zip").files[0]
            yield replace(holding(where="x.zip"), files=(replace(file, crc32=number),))

    findings = found(*layers())
    assert [(finding.where, finding.severity) for finding in findings] == [("x.zip", WARNING)] * 2


def test_a_file_that_stands_for_a_folder_of_many_is_one_finding() -> None:
    one, other = holding("python/app", where="a.zip"), holding("python/app/x.py", "python/app/y/z.py", where="b.zip")
    for layers in ((one, other), (other, one)):
        (finding,) = found(*layers)
        assert (finding.code, finding.severity, finding.where) == (
            Code.STACK_OVERWRITTEN,
            WARNING,
            "a.zip: python/app",
        )
        assert "is a file in a.zip and a folder in b.zip, with 2 files" in finding.message
        assert finding.paths == ("python/app", "python/app/x.py", "python/app/y/z.py")


def test_what_blocks_itself_is_the_layers_own_affair() -> None:
    assert found(holding("python/app", "python/app/x.py", where="a.zip"), holding("etc/x", where="b.zip")) == []
