"""Which modules a layer offers, told from the names in its zip."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from layerkit.invoke.modules import LayerContents
from layerkit.invoke.unreadable import LayerUnreadable


def contents(*names: str, records: Mapping[str, str] | None = None) -> LayerContents:
    """Return a layer that holds files below ``python/``; records map a distribution to the paths it lists."""
    listed = {
        f"python/{name}.dist-info/RECORD": "".join(f"{path},sha256=x,1\n" for path in text.split())
        for name, text in (records or {}).items()
    }
    return LayerContents(names=(*(f"python/{name}" for name in names), *listed), records=listed)


def modules(*names: str, records: Mapping[str, str] | None = None) -> tuple[str, ...]:
    return tuple(contents(*names, records=records).modules("3.12"))


def test_packages_modules_and_extension_modules_at_the_top() -> None:
    found = modules(
        "requests/__init__.py",
        "requests/models.py",
        "six.py",
        "fast.cpython-312-x86_64-linux-gnu.so",
        "stable.abi3.so",
        "plain.so",
        "compiled/__init__.cpython-312-x86_64-linux-gnu.so",
        "sourceless.pyc",
    )
    assert found == ("compiled", "fast", "plain", "requests", "six", "sourceless", "stable")


def test_extension_modules_for_another_python_count_too() -> None:
    assert modules("fast.cpython-311-x86_64-linux-gnu.so") == ("fast",)


@pytest.mark.parametrize(
    "name",
    [
        "numpy.libs/libopenblas.so",
        "libfoo.so",
        "libfoo.so.1",
        "tests/__init__.py",
        "test/__init__.py",
        "examples/demo.py",
        "conftest.py",
        "bin/tool.py",
        "a.dist-info/METADATA",
        "__pycache__/a.cpython-312.pyc",
        "not-a-name.py",
        "data/table.csv",
        "easy.pth",
    ],
)
def test_what_is_no_module_of_the_layer(name: str) -> None:
    assert modules(name) == ()


def test_private_modules_only_where_a_distribution_has_no_others() -> None:
    found = modules(
        "cffi/__init__.py",
        "_cffi_backend.cpython-312-x86_64-linux-gnu.so",
        "_ruamel_yaml.cpython-312-x86_64-linux-gnu.so",
        records={
            "cffi-2": "cffi/__init__.py _cffi_backend.cpython-312-x86_64-linux-gnu.so",
            "ruamel-1": "_ruamel_yaml.cpython-312-x86_64-linux-gnu.so",
        },
    )
    assert found == ("_ruamel_yaml", "cffi")


def test_quoted_paths_of_a_record_are_understood() -> None:
    layer = contents("a/__init__.py", "_a,b.py", "_b.py")
    record = 'a/__init__.py,sha256=x,1\n"_a,b.py",sha256=x,1\n_b.py,sha256=x,1\n'
    records = {"python/a-1.dist-info/RECORD": record}
    found = LayerContents(names=layer.names, records=records).modules("3.12")
    assert found == {"a": "a-1.dist-info/RECORD"}


def test_namespaces_stand_for_the_first_real_things_in_them() -> None:
    found = modules(
        "google/protobuf/__init__.py",
        "google/cloud/storage/__init__.py",
        "google/cloud/storage/blob.py",
        "google/cloud/storage/tests/__init__.py",
        "google/_upb/__init__.py",
        "google/loose.py",
    )
    assert found == ("google.cloud.storage", "google.loose", "google.protobuf")


def test_a_package_that_several_distributions_share_is_one_module() -> None:
    found = modules(
        "app/__init__.py",
        "app/plugins/x.py",
        records={"app-1": "app/__init__.py", "app_plugin-1": "app/plugins/x.py"},
    )
    assert found == ("app",)


def test_both_folders_that_lambda_searches_and_no_other() -> None:
    layer = LayerContents(
        names=(
            "python/a.py",
            "python/lib/python3.12/site-packages/b/__init__.py",
            "python/lib/python3.11/site-packages/c/__init__.py",
            "lib/d.py",
            "e.py",
        ),
        records={},
    )
    assert layer.modules("3.12") == {"a": "", "b": ""}


def test_extensions_of_a_module_for_whatever_python() -> None:
    layer = contents("a/b.cpython-311-x86_64-linux-gnu.so", "a/bc.so", "a/b.py")
    assert layer.extensions_of("a.b", "3.12") == ("python/a/b.cpython-311-x86_64-linux-gnu.so",)


def test_only_layers_with_shared_libraries_are_bound_to_an_architecture() -> None:
    assert contents("a.libs/libx.so.1.2").is_native
    assert contents("a/x.abi3.so").is_native
    assert not contents("a/__init__.py", "a/x.so.py").is_native


def test_records_and_names_are_read_from_the_zip(tmp_path: Path) -> None:
    path = tmp_path / "layer.zip"
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("python/a/__init__.py", "")
        out.writestr("python/_b.py", "")
        out.writestr("python/a-1.dist-info/RECORD", "a/__init__.py,,\n_b.py,,\n")
    assert list(LayerContents.read(path).modules("3.12")) == ["a"]


@pytest.mark.parametrize("text", [b"", b"no zip at all"])
def test_what_is_no_zip_is_no_layer(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "layer.zip"
    path.write_bytes(text)
    with pytest.raises(LayerUnreadable, match="is not a layer"):
        LayerContents.read(path)


def test_a_layer_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LayerUnreadable, match="no such file"):
        LayerContents.read(tmp_path / "none.zip")
