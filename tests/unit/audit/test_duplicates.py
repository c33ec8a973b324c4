"""Distributions that are there more than once."""

from collections.abc import Sequence
from dataclasses import replace

from layerkit.audit.duplicates import duplicate_findings
from layerkit.model.contents import Contents
from layerkit.model.finding import Finding, Severity
from layerkit.model.stack import Stack
from layerkit.model.target import parse_target
from tests.unit.audit.holding import holding, installed

SITE = "python/lib/python3.{}/site-packages"
WARNING, NOTE = Severity.WARNING, Severity.NOTE


def found(
    *layers: Contents, function: Contents | None = None, targets: Sequence[str] = ("python3.12-x86_64",)
) -> list[Finding]:
    stack = Stack(layers=layers, function=function)
    return list(dict.fromkeys(duplicate_findings(stack, [parse_target(each) for each in targets])))


def both(one: Sequence[str], other: Sequence[str], where: str = "a.zip") -> Contents:
    return holding(*one, *other, where=where)


def test_each_python_has_its_own_site_packages_and_none_is_a_copy_of_another() -> None:
    layer = both(installed(SITE.format(11), "demo"), installed(SITE.format(12), "demo", version="2.0"))
    assert found(layer, targets=["python3.11-x86_64", "python3.12-x86_64"]) == []
    assert found(layer, targets=[]) == []


def test_of_both_folders_of_one_layer_site_packages_is_imported() -> None:
    layer = both(installed("python", "demo", version="2.0"), installed(SITE.format(12), "demo"))
    (finding,) = found(layer)
    assert (finding.severity, finding.where) == (WARNING, "a.zip")
    assert finding.message == (
        "demo is there more than once (1.0 in a.zip: python/lib/python3.12/site-packages, 2.0 in a.zip: python);"
        " 1.0 in a.zip: python/lib/python3.12/site-packages is imported"
    )


def test_the_same_in_both_folders_of_one_layer_is_room_for_nothing() -> None:
    (finding,) = found(both(installed("python", "demo"), installed(SITE.format(12), "demo")))
    assert finding.severity is NOTE
    assert finding.message.endswith("a.zip: python; once would save 300 bytes")


def test_one_version_with_other_code_in_another_folder_is_a_warning() -> None:
    site = holding(*installed(SITE.format(12), "demo"), where="a.zip")
    other = holding(*installed("python", "demo"), where="b.zip")
    files = tuple(replace(file, crc32=1) if file.path.endswith("core.py") else file for file in other.files)
    (finding,) = found(site, replace(other, files=files))
    assert finding.severity is WARNING
    assert "more than once with other code (1.0 in a.zip, 1.0 in b.zip); 1.0 in a.zip is imported" in finding.message


def test_two_versions_metadata_in_one_folder_says_neither() -> None:
    """As ``pip install --target --upgrade`` leaves it."""
    layer = both(installed("python", "demo"), ["python/demo-2.0.dist-info/METADATA"])
    (finding,) = found(layer)
    assert finding.severity is WARNING
    assert "`python` has metadata of demo 1.0 and 2.0" in finding.message
    assert finding.paths == ("python/demo-1.0.dist-info", "python/demo-2.0.dist-info")


def test_an_egg_beside_a_wheel_of_one_version_is_no_copy() -> None:
    layer = holding(*installed("python", "demo"))
    twice = replace(layer.distributions[0], folder="python/demo.egg-info")
    assert found(replace(layer, distributions=(*layer.distributions, twice))) == []


def test_of_three_layers_the_last_wins_and_what_only_the_others_have_stays() -> None:
    one = holding(*installed("python", "demo", version="1.0"), "python/demo/a.py", where="a.zip")
    two = holding(*installed("python", "demo", version="2.0"), "python/demo/b.py", where="b.zip")
    three = holding(*installed("python", "demo", version="3.0"), where="c.zip")
    (finding,) = found(one, two, three)
    assert "(1.0 in a.zip, 2.0 in b.zip, 3.0 in c.zip); 3.0 in c.zip is imported, mixed with 2 files" in finding.message
    assert set(finding.paths) == {"python/demo/a.py", "python/demo/b.py"}


def test_what_another_folder_hides_is_not_mixed_in() -> None:
    one = holding(*installed(SITE.format(12), "demo"), where="a.zip")
    other = holding(*installed("python", "demo", version="2.0"), "python/demo/more.py", where="b.zip")
    (finding,) = found(one, other)
    assert finding.message.endswith("1.0 in a.zip is imported")
    assert finding.paths == ()


def test_runtimes_without_python_import_nothing() -> None:
    layers = (holding(*installed("python", "demo"), where=where) for where in ("a.zip", "b.zip"))
    assert found(*layers, targets=["provided.al2023-arm64"]) == []


def test_what_no_python_looks_at_is_no_copy() -> None:
    function = holding(*installed("python", "demo"), where="build")
    assert found(holding(*installed("python", "demo")), function=function) == []
