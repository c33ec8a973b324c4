"""Whose file is whose, as pip and others leave it."""

from layerkit.audit.ownership import find_installed, owners_of
from tests.unit.audit.test_zip_source import METADATA

FOLDER = "python/demo_app-1.2.dist-info"


def owners(files: dict[str, str]) -> dict[str, str]:
    installed = tuple(find_installed(files, lambda path: files[path].encode()))
    return dict(owners_of(files, installed))


def named(name: str) -> str:
    return METADATA.replace("Demo_App", name)


def test_scripts_belong_to_what_pip_moved_with_them() -> None:
    record = "demo/__init__.py,,\n../../bin/demo,,\n../../share/man/demo.1,,\n../../../x,,\n"
    files = {f"{FOLDER}/METADATA": METADATA, f"{FOLDER}/RECORD": record}
    files |= {"python/bin/demo": "", "python/share/man/demo.1": "", "python/x": "", "x": ""}
    found = owners(files)
    assert found["python/bin/demo"] == found["python/share/man/demo.1"] == "demo-app"
    assert not {"python/x", "x"} & set(found)


def test_a_script_outside_of_site_packages_is_found_where_record_says() -> None:
    root = "python/lib/python3.12/site-packages"
    record = '../../../bin/demo,,\n"demo/a,b.py",,\n'
    files = {f"{root}/demo_app-1.2.dist-info/METADATA": METADATA, f"{root}/demo_app-1.2.dist-info/RECORD": record}
    files |= {"python/bin/demo": "", f"{root}/bin/demo": "", f"{root}/demo/a,b.py": ""}
    found = owners(files)
    assert found["python/bin/demo"] == found[f"{root}/demo/a,b.py"] == "demo-app"
    assert f"{root}/bin/demo" not in found


def test_without_a_record_top_level_tells() -> None:
    files = {f"{FOLDER}/METADATA": METADATA, f"{FOLDER}/top_level.txt": "yaml\n_yaml\n"}
    files |= {"python/yaml/a.py": "", "python/_yaml.py": "", "python/yam.py": ""}
    found = owners(files)
    assert found["python/yaml/a.py"] == found["python/_yaml.py"] == "demo-app"
    assert "python/yam.py" not in found


def test_a_name_that_two_claim_is_nobodys() -> None:
    files = {
        f"python/{name}.dist-info/{file}": content
        for name in ("one-1", "two-1")
        for file, content in (("METADATA", named(name[:3])), ("top_level.txt", "google\n"))
    }
    assert "python/google/a.py" not in owners(files | {"python/google/a.py": ""})


def test_bytecode_beside_its_source_belongs_to_the_sources_owner() -> None:
    files = {f"{FOLDER}/METADATA": METADATA, f"{FOLDER}/RECORD": "core/a.py,,\n", "python/core/a.pyc": ""}
    assert owners(files)["python/core/a.pyc"] == "demo-app"


def test_what_a_distribution_vendors_is_its_own() -> None:
    inner = "python/a/_vendor/inner-1.dist-info"
    outer = "python/zoo-1.dist-info"
    files = {f"{inner}/METADATA": named("inner"), f"{inner}/RECORD": "inner.py,,\n", "python/a/_vendor/inner.py": ""}
    files |= {f"{outer}/METADATA": named("zoo"), f"{outer}/RECORD": "a/_vendor/inner.py,,\n"}
    assert owners(files)["python/a/_vendor/inner.py"] == "zoo"
