"""What was left in by accident, weighed and named; and what looks like a secret."""

import pytest

from layerkit.audit.leftovers import leftover_findings
from layerkit.model.contents import Contents, Insides
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.stack import Stack
from tests.unit.audit.holding import MIB, holding, installed

GOOD = installed("python", "requests")
KEY = Insides(private_keys=frozenset({"python/tornado/test/test.key", "certs/server.pem"}))


def found(*layers: Contents, function: Contents | None = None) -> list[Finding]:
    return list(leftover_findings(Stack(layers=layers, function=function)))


def only(findings: list[Finding], code: Code = Code.LAYOUT_LEFTOVER) -> Finding:
    (finding,) = findings
    assert finding.code is code
    return finding


@pytest.mark.parametrize(
    "layer",
    [
        holding(*GOOD, "bin/normalizer", "LICENSE", "etc/app.toml"),
        holding("nodejs/node_modules/x/index.js", "nodejs/node_modules/x/.npmrc", "nodejs/package.json"),
        holding("extensions/agent", ".gitignore"),
        holding(*GOOD, "python/numpy/testing/__init__.py", "python/django/test/client.py", sizes={"a.bin": 9 * MIB}),
        holding("python/pyvenv.cfg", *installed("python/lib/python3.12/site-packages", "requests")),
        holding(*GOOD, ".env.example", ".ssh/known_hosts", "python/certifi/cacert.pem", "id_rsa.pub"),
        holding(),
    ],
    ids=["plain", "Node.js", "an extension", "what is only called test", "a venv called python", "no secrets", "empty"],
)
def test_nothing_is_said_about_what_is_needed(layer: Contents) -> None:
    assert found(layer) == []


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (
            ["python/.pytest_cache/v"],
            "caches of development tools: 1 file, could save 100 bytes; `python/.pytest_cache`",
        ),
        ([".cache/pip/x"], "caches of development tools: 1 file, could save 100 bytes; `.cache/pip/x`"),
        (
            ["__MACOSX/python/._x.py", "python/.DS_Store"],
            "files that a desktop or an editor made: 2 files, could save 200 bytes; `__MACOSX`, `python/.DS_Store`",
        ),
        ([".aws-sam/build/x"], "working folders of deployment tools: 1 file, could save 100 bytes; `.aws-sam`"),
        (["app/pyvenv.cfg", "app/bin/pip"], "a virtual environment: 2 files, could save 200 bytes; `app`"),
        ([".venv/bin/pip"], "a virtual environment: 1 file, could save 100 bytes; `.venv`"),
        (
            installed("python", "pip", "wheel"),
            "installers and build tools: 14 files, could save 1.4 KiB; `pip`, `wheel`",
        ),
    ],
)
def test_each_sort_is_one_note_with_what_it_could_save(paths: list[str], message: str) -> None:
    finding = only(found(holding(*GOOD, *paths, sizes={"bin/tool": MIB})))
    assert (finding.severity, finding.message) == (Severity.NOTE, message)
    assert sorted(finding.paths) == sorted(paths)


def test_a_history_is_a_warning_whatever_its_size() -> None:
    finding = only(found(holding(*GOOD, "python/.git/HEAD")))
    assert (finding.severity, finding.where) == (Severity.WARNING, "layer.zip: python/.git/HEAD")


@pytest.mark.parametrize(
    ("size", "layer", "severity"),
    [
        (5 * MIB, 200 * MIB, Severity.WARNING),
        (5 * MIB - 1, 200 * MIB, Severity.NOTE),
        (2 * MIB, 30 * MIB, Severity.WARNING),
        (2 * MIB, 60 * MIB, Severity.NOTE),
        (MIB - 1, MIB, Severity.NOTE),
    ],
)
def test_much_of_it_is_a_warning(size: int, layer: int, severity: Severity) -> None:
    """5 MiB, or a twentieth of the layer from 1 MiB on."""
    assert only(found(holding(sizes={".mypy_cache/x": size, "bin/tool": layer}))).severity is severity


def test_tests_are_named_by_package_heaviest_first_and_only_from_half_a_mebibyte_on() -> None:
    sizes = {
        "python/pandas/tests/test_a.py": 200_000,
        "python/pandas/tests/b/tests/data.csv": 100_000,
        "python/numpy/ma/tests/test_b.py": 290_000,
        "python/mine/test/test_c.py": 1,
    }
    layer = holding(*installed("python", "pandas", "numpy"), sizes={**sizes, "bin/tool": 90 * MIB})
    finding = only(found(layer))
    assert finding.message == ("tests of packages: 4 files, could save 0.6 MiB; `pandas`, `numpy`, `python/mine/test`")
    assert found(holding(*GOOD, sizes={"python/pandas/tests/test_a.py": 524_287})) == []


def test_tests_are_a_note_whatever_their_size_for_correct_packages_bring_them() -> None:
    finding = only(found(holding(sizes={"python/pandas/tests/test_a.py": 17 * MIB})))
    assert finding.severity is Severity.NOTE


def test_tests_that_the_package_itself_imports_are_needed() -> None:
    assert found(holding(sizes={"python/numpy/_core/tests/test_a.py": 9 * MIB})) == []


def test_a_folder_called_tests_without_a_test_is_none() -> None:
    assert found(holding(sizes={"python/jinja/tests/__init__.py": 9 * MIB})) == []


def test_stubs_and_headers_are_a_note_from_a_mebibyte_on() -> None:
    sizes = {"python/a/x.pyi": 3 * MIB, "python/a/include/x.h": 4 * MIB}
    finding = only(found(holding(sizes=sizes)))
    assert finding.severity is Severity.NOTE
    assert finding.message.startswith("type stubs, headers and sources for compilers: 2 files, could save 7.0 MiB")
    assert found(holding(sizes={"python/a/x.pyi": MIB - 1})) == []


def test_an_installer_that_something_requires_is_needed() -> None:
    paths = installed("python", "torch", "setuptools")
    assert found(holding(*paths, requires={"torch": ('setuptools; python_version >= "3.12"',)})) == []
    for optional in ('setuptools; extra == "build"', "setuptools ; extra=='build'"):
        assert only(found(holding(*paths, requires={"torch": (optional,)}))).message.startswith("installers")


def test_what_another_layer_requires_counts_as_well() -> None:
    needs = holding(*installed("python", "torch"), requires={"torch": ("Setuptools>=60",)})
    assert found(holding(*installed("python", "setuptools")), needs) == []


def test_an_environment_is_no_leftover_where_it_is_all_there_is() -> None:
    """That is a mistake of layout, which another check tells."""
    assert found(holding("app/pyvenv.cfg", *installed("app/lib/python3.12/site-packages", "a"))) == []


def test_a_functions_code_is_looked_at_too() -> None:
    paths = ["env/pyvenv.cfg", *installed("env/lib/python3.12/site-packages", "a")]
    finding = only(found(function=holding("app.py", *installed("", "requests"), *paths, where="build")))
    assert finding.message.startswith("a virtual environment: 8 files")
    assert found(function=holding("app.py", *paths)) == []


def test_each_layer_has_its_own_finding() -> None:
    layers = holding("a/.tox/x", where="a.zip"), holding("b/.tox/x", where="b.zip")
    assert [finding.where for finding in found(*layers)] == ["a.zip: a/.tox/x", "b.zip: b/.tox/x"]


SECRETS = [
    *(".netrc", "python/.pypirc", ".aws/credentials", "home/.aws/config", ".ssh/id_whatever", "keys/id_ed25519"),
    *("a.p12", "b.pfx", "c.jks", "d.kdbx", ".git-credentials", ".npmrc", ".env", "app/.env.production"),
    *(".docker/config.json", "terraform.tfstate", "credentials.json", "service-account-prod.json", "pip.conf"),
]


@pytest.mark.parametrize("path", SECRETS)
def test_files_in_which_secrets_are_kept_are_a_warning_by_name(path: str) -> None:
    finding = only(found(holding(*GOOD, path)), Code.LAYOUT_SECRET)
    assert (finding.severity, finding.where, finding.paths) == (Severity.WARNING, f"layer.zip: {path}", (path,))
    assert finding.message == f"1 file looks like a secret by name: `{path}`; whoever may read this code may read them"


def test_all_of_them_are_one_finding() -> None:
    finding = only(found(holding(*GOOD, *SECRETS)), Code.LAYOUT_SECRET)
    assert finding.where == "layer.zip"
    assert finding.message.startswith(
        "19 files look like secrets by name: `.netrc`, `python/.pypirc`, `.aws/credentials` and 16 more; "
    )


def test_a_private_key_is_a_warning_whatever_it_is_called() -> None:
    finding = only(found(holding(*GOOD, "certs/server.pem", insides=KEY)), Code.LAYOUT_SECRET)
    assert finding.severity is Severity.WARNING
    assert finding.message.startswith("1 file holds a private key: `certs/server.pem`; ")


def test_a_private_key_of_a_distribution_is_a_note() -> None:
    layer = holding(*installed("python", "tornado"), "python/tornado/test/test.key", insides=KEY)
    finding = only(found(layer), Code.LAYOUT_SECRET)
    assert finding.severity is Severity.NOTE
    assert finding.message == (
        "1 file of `tornado` holds a private key: `python/tornado/test/test.key`;"
        " public where the package is, as test data mostly"
    )


def test_a_key_with_a_secrets_name_is_told_once() -> None:
    layer = holding(*GOOD, "keys/id_rsa", insides=Insides(private_keys=frozenset({"keys/id_rsa"})))
    assert only(found(layer), Code.LAYOUT_SECRET).message.startswith("1 file holds a private key")
