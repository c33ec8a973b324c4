"""Paths that no runtime looks at: every classic mistake is recognised, and nothing is said about what is right."""

import pytest

from layerkit.audit.layout import layout_findings
from layerkit.model.contents import Contents
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.stack import Stack
from layerkit.model.target import Target, make_target
from tests.unit.audit.holding import holding, installed

PY312 = make_target("python3.12", "x86_64")
SITE = "python/lib/python3.12/site-packages"


def found(*layers: Contents, function: Contents | None = None, targets: tuple[Target, ...] = (PY312,)) -> list[Finding]:
    return list(layout_findings(Stack(layers=layers, function=function), targets))


def only(findings: list[Finding]) -> Finding:
    (finding,) = findings
    assert finding.code is Code.LAYOUT_UNREACHABLE
    return finding


RIGHT = {
    "layerkit's own, below python/": holding(*installed("python", "requests", "idna"), "bin/normalizer"),
    "layerkit's own, in site-packages": holding(*installed(SITE, "requests"), "bin/normalizer", "lib/libexpat.so.1"),
    "pip install --target, with its scripts": holding(
        *installed("python", "requests", python="311"), "python/bin/chardetect"
    ),
    "no metadata at all": holding("python/mine.py", "python/pkg/__init__.py"),
    "pandas for many": holding(*installed("python", "awswrangler", "pandas"), "python/pandas.libs/libz.so.1"),
    "vendored packages": holding(
        *installed("python", "setuptools"), *installed("python/setuptools/_vendor", "wheel", "zipp")
    ),
    "a package that is called python": holding("python/python/__init__.py", "python/python/core.py"),
    "two versions side by side": holding(*installed("python/lib/python3.11/site-packages", "a"), *installed(SITE, "a")),
    "an extension in Python": holding(
        "extensions/watch", "watch/extension.py", *installed("watch", "requests"), "watch/__init__.py"
    ),
    "an extension only": holding("extensions/agent", "agent/config.yaml"),
    "for Python and Node.js": holding("nodejs/node_modules/x/index.js", "python/x.py", "otel-handler"),
    "programs and libraries": holding(
        "bin/ffmpeg", "lib/libx.so.1", "README.md", "LICENSE", "share/x.txt", "etc/a.toml"
    ),
    "configuration": holding("config.json", "certs/ca.pem", "python/x.py"),
    "a runtime of its own": holding(
        "bootstrap", "bin/python3.12", "lib/python3.12/os.py", *installed("lib/python3.12/site-packages", "a")
    ),
    "a virtual environment called python": holding(
        "python/pyvenv.cfg", "python/bin/activate", *installed(SITE, "requests")
    ),
    "links to where it lies": holding(*installed("packages", "a"), links={SITE: "../../../../packages"}),
    "an egg-info": holding("python/old/__init__.py", "python/old-1.0.egg-info/PKG-INFO"),
    "wheels that a distribution brings": holding(*installed("python", "virtualenv"), "python/virtualenv/seed/pip.whl"),
    "data in an archive": holding("python/x.py", "data.zip"),
    "empty": holding(),
}


@pytest.mark.parametrize("layer", RIGHT.values(), ids=RIGHT)
@pytest.mark.parametrize("targets", [(PY312,), ()], ids=["python3.12", "unknown"])
def test_nothing_is_said_about_what_is_right(layer: Contents, targets: tuple[Target, ...]) -> None:
    assert found(layer, targets=targets) == []


WRONG = {
    "packages at the top": (
        holding(*installed("", "requests", "idna"), "six.py"),
        "packages lie at the top, where no runtime looks",
        "put them below `python/`, as `pip install --target python …` does, and zip that folder",
    ),
    "a function's code": (
        holding(*installed("", "requests"), "lambda_function.py"),
        "the layer is laid out like a function's code, with packages and `lambda_function.py` at the top",
        "put packages below `python/`, and leave the handler to the function",
    ),
    "a virtual environment": (
        holding(
            "venv/pyvenv.cfg",
            "venv/bin/activate",
            "venv/bin/activate_this.py",
            *installed("venv/lib/python3.12/site-packages", "requests"),
        ),
        "a virtual environment was zipped whole, and no runtime looks in `venv/lib/`",
        "put what is in its `site-packages` below `python/`, and leave the rest out",
    ),
    "a virtual environment with lib and lib64": (
        holding(
            *installed("venv/lib/python3.12/site-packages", "a"), *installed("venv/lib64/python3.12/site-packages", "a")
        ),
        "a virtual environment was zipped whole, and no runtime looks in `venv/lib/`",
        "put what is in its `site-packages` below `python/`, and leave the rest out",
    ),
    "what is in a virtual environment": (
        holding("pyvenv.cfg", "bin/activate", *installed("lib/python3.12/site-packages", "requests")),
        "a virtual environment was zipped whole, and no runtime looks in `lib/`",
        "put what is in its `site-packages` below `python/`, and leave the rest out",
    ),
    "a virtual environment below python/": (
        holding(
            "python/venv/pyvenv.cfg",
            "python/venv/bin/x.py",
            *installed("python/venv/lib/python3.12/site-packages", "a"),
        ),
        "a virtual environment was zipped whole, and no runtime looks in `python/venv/lib/`",
        "put what is in its `site-packages` below `python/`, and leave the rest out",
    ),
    "installed with a prefix": (
        holding(*installed("lib/python3.12/site-packages", "requests")),
        "no runtime looks in `lib/python3.12/site-packages/`",
        "put what is in `lib/python3.12/site-packages/` below `python/`",
    ),
    "python3.12/lib": (
        holding(*installed("python3.12/lib/python3.12/site-packages", "requests")),
        "no runtime looks in `python3.12/lib/python3.12/site-packages/`",
        "put what is in `python3.12/lib/python3.12/site-packages/` below `python/`",
    ),
    "site-packages at the top": (
        holding(*installed("site-packages", "requests")),
        "no runtime looks in `site-packages/`",
        "put what is in `site-packages/` below `python/`",
    ),
    "dist-packages": (
        holding(*installed("python/lib/python3/dist-packages", "requests")),
        "no runtime looks in `python/lib/python3/dist-packages/`",
        "put what is in `python/lib/python3/dist-packages/` below `python/`",
    ),
    "another folder": (
        holding(*installed("packages", "requests", "idna")),
        "no runtime looks in `packages/`",
        "put what is in `packages/` below `python/`",
    ),
    "the loader's folder": (
        holding(*installed("lib", "requests")),
        "no runtime looks in `lib/`",
        "put what is in `lib/` below `python/`",
    ),
    "lib64 only": (
        holding(*installed("python/lib64/python3.12/site-packages", "a")),
        "no runtime looks in `python/lib64/`",
        "put what is in `python/lib64/python3.12/site-packages/` into `python/lib/python3.12/site-packages/`",
    ),
    "doubled": (
        holding(*installed("python/python", "requests")),
        "`python/` lies in another `python/`",
        "move what is in `python/python/` up into `python/`",
    ),
    "doubled, in site-packages": (
        holding(*installed(f"python/{SITE}", "requests")),
        "`python/` lies in another `python/`",
        "move what is in `python/python/` up into `python/`",
    ),
    "doubled, without metadata": (
        holding("python/python/mine.py"),
        "`python/` lies in another `python/`",
        "move what is in `python/python/` up into `python/`",
    ),
    "wrapped": (
        holding(*installed("my-layer/python", "requests"), "__MACOSX/my-layer/._python", ".DS_Store"),
        "everything lies in the folder `my-layer/`",
        "zip what is in `my-layer/`, so that `python/` is at the top of the zip",
    ),
    "wrapped, in site-packages": (
        holding(*installed(f"my-layer/{SITE}", "requests"), "my-layer/README.md"),
        "everything lies in the folder `my-layer/`",
        "zip what is in `my-layer/`, so that `python/` is at the top of the zip",
    ),
    "wrapped, without metadata": (
        holding("my-layer/python/mine.py"),
        "everything lies in the folder `my-layer/`",
        "zip what is in `my-layer/`, so that `python/` is at the top of the zip",
    ),
    "written large": (
        holding(*installed("Python", "requests")),
        "Lambda looks in `python/`, and `Python/` is another folder: upper and lower case differ there",
        "call the folder `python`, not `Python`",
    ),
    "written large, in site-packages": (
        holding(*installed("PYTHON/lib/python3.12/site-packages", "requests")),
        "Lambda looks in `python/`, and `PYTHON/` is another folder: upper and lower case differ there",
        "call the folder `python`, not `PYTHON`",
    ),
}


@pytest.mark.parametrize(("layer", "reason", "hint"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("targets", [(PY312,), ()], ids=["python3.12", "unknown"])
def test_a_layer_of_which_nothing_can_be_imported_is_one_error_with_the_remedy(
    layer: Contents, reason: str, hint: str, targets: tuple[Target, ...]
) -> None:
    finding = only(found(layer, targets=targets))
    assert (finding.severity, finding.where) == (Severity.ERROR, "layer.zip")
    assert finding.message == f"nothing in this layer can be imported: {reason}"
    assert finding.hint == hint


STILL_WRONG = [
    name
    for name, (_, reason, _) in WRONG.items()
    if "virtual environment" not in reason and "everything lies" not in reason and name != "doubled, without metadata"
]


@pytest.mark.parametrize("name", STILL_WRONG)
def test_the_same_beside_packages_that_can_be_imported_is_a_warning(name: str) -> None:
    layer, reason, hint = WRONG[name]
    finding = only(found(holding(*(file.path for file in layer.files), *installed("python", "good"))))
    assert finding.severity is Severity.WARNING
    assert finding.message.endswith(f"cannot be imported: {reason}")
    assert finding.hint == hint


def test_a_virtual_environment_beside_packages_is_left_to_leftovers() -> None:
    layer, _, _ = WRONG["a virtual environment"]
    assert found(holding(*(file.path for file in layer.files), *installed("python", "good"))) == []


def test_a_folder_python_in_python_may_be_a_namespace_package() -> None:
    assert found(holding("python/python/mine.py", "python/other.py")) == []


def test_a_finding_names_every_file_that_is_out_of_reach() -> None:
    paths = installed("", "requests")
    assert sorted(only(found(holding(*paths, "etc/config.toml"))).paths) == sorted(paths)


def test_packages_of_another_python_are_an_error_where_there_is_nothing_else() -> None:
    finding = only(found(holding(*installed("python/lib/python3.11/site-packages", "requests"))))
    assert (finding.severity, finding.where) == (Severity.ERROR, "layer.zip")
    assert finding.message == (
        "nothing in this layer can be imported by python3.12: what lies in"
        " `python/lib/python3.11/site-packages/` is for that version of Python only"
    )
    assert finding.hint is not None
    assert finding.hint.startswith("build the layer for the function's runtime")


def test_packages_of_another_python_are_a_warning_beside_others() -> None:
    layer = holding(*installed("python/lib/python3.11/site-packages", "requests"), *installed("python", "idna"))
    finding = only(found(layer))
    assert finding.severity is Severity.WARNING
    assert finding.where == "layer.zip: python/lib/python3.11/site-packages"
    assert finding.message.startswith("`requests` cannot be imported: what lies in")


def test_packages_for_a_python_that_the_manifest_names_are_there_with_a_purpose() -> None:
    paths = [*installed("python/lib/python3.11/site-packages", "requests"), *installed("python", "idna")]
    assert found(holding(*paths, runtimes=("python3.11", "python3.12"))) == []


def test_a_layer_that_serves_one_of_two_runtimes_fails_on_the_other() -> None:
    targets = (make_target("python3.11", "x86_64"), PY312)
    finding = only(found(holding(*installed(SITE, "requests")), targets=targets))
    assert finding.severity is Severity.ERROR
    assert finding.message.startswith("nothing in this layer can be imported by python3.11: ")


def test_what_manifests_say_stands_in_for_targets() -> None:
    layer = holding(*installed("python/lib/python3.11/site-packages", "a"), runtimes=("python3.12",))
    assert only(found(layer, targets=())).severity is Severity.ERROR


def test_a_copy_of_lib_is_weighed() -> None:
    twice = [*installed(SITE, "a"), *installed("python/lib64/python3.12/site-packages", "a")]
    finding = only(found(holding(*twice)))
    assert finding.severity is Severity.WARNING
    assert finding.message == "`python/lib64/` is a copy of `python/lib/`: 700 bytes that nothing reads"


def test_a_copy_of_lib_in_a_virtual_environment_that_lambda_looks_into_is_weighed_as_well() -> None:
    twice = [*installed(SITE, "a"), *installed("python/lib64/python3.12/site-packages", "a")]
    finding = only(found(holding("python/pyvenv.cfg", "python/bin/activate", *twice)))
    assert "`python/lib64/` is a copy of `python/lib/`" in finding.message


def test_half_of_the_packages_in_lib64_are_named() -> None:
    both = [*installed(SITE, "a"), *installed("python/lib64/python3.12/site-packages", "numpy")]
    assert "`numpy` cannot be imported: no runtime looks in `python/lib64/`" in only(found(holding(*both))).message


def test_modules_at_the_top_that_nobody_installed_are_a_warning_for_a_program_may_open_them() -> None:
    finding = only(found(holding("util.py")))
    assert (finding.severity, finding.where) == (Severity.WARNING, "layer.zip: util.py")
    assert finding.message == "`util.py` cannot be imported by name: packages lie at the top, where no runtime looks"


def test_modules_at_the_top_beside_python_are_a_note() -> None:
    assert only(found(holding("util.py", "python/x.py"))).severity is Severity.NOTE


def test_modules_beside_an_extension_may_be_its_own() -> None:
    assert found(holding("util.py", "extensions/watch")) == []


def test_packages_at_the_top_beside_an_extension_may_be_its_own_and_are_no_error() -> None:
    assert only(found(holding(*installed("", "requests"), "extensions/watch"))).severity is Severity.WARNING


def test_a_wheel_in_a_layer_is_not_unpacked() -> None:
    finding = only(found(holding("python/requests-2.0-py3-none-any.whl")))
    assert (finding.severity, finding.where) == (Severity.ERROR, "layer.zip: python/requests-2.0-py3-none-any.whl")
    beside = only(found(holding("python/requests-2.0-py3-none-any.whl", "python/x.py")))
    assert beside.severity is Severity.WARNING


def test_a_zip_within_a_zip_is_not_unpacked() -> None:
    finding = only(found(holding("layer.zip", "__MACOSX/._layer.zip")))
    assert (finding.severity, finding.where) == (Severity.WARNING, "layer.zip: layer.zip")


def test_node_modules_at_the_top_are_an_error_unless_a_script_beside_them_finds_them() -> None:
    assert only(found(holding("node_modules/x/index.js", "package.json"), targets=())).severity is Severity.ERROR
    assert found(holding("node_modules/x/index.js", "wrapper.js"), targets=()) == []
    reached = holding("node_modules/x/index.js", "nodejs/node_modules/y/index.js")
    assert only(found(reached, targets=())).severity is Severity.WARNING


@pytest.mark.parametrize(
    ("runtime", "paths", "message"),
    [
        ("nodejs22.x", ["nodejs/node20/node_modules/x/index.js"], "Node.js 22 finds no package"),
        ("ruby3.4", ["ruby/gems/3.2.0/gems/x.rb"], "Ruby 3.4 finds no package"),
        ("nodejs22.x", ["nodejs/node22/node_modules/x/index.js", "nodejs/node20/node_modules/x/index.js"], None),
        ("nodejs22.x", ["nodejs/node20/node_modules/x/index.js", "nodejs/node_modules/y/index.js"], None),
        ("ruby3.4", ["ruby/gems/3.4.0/gems/x.rb"], None),
        ("java21", ["java/lib/x.jar"], None),
    ],
)
def test_other_languages_have_versions_too(runtime: str, paths: list[str], message: str | None) -> None:
    findings = found(holding(*paths), function=holding("index.js", runtimes=(runtime,)), targets=())
    if message is None:
        assert findings == []
    else:
        assert only(findings).severity is Severity.ERROR
        assert only(findings).message.startswith(message)


def test_a_layer_of_another_language_only_is_a_note() -> None:
    layer = holding("nodejs/node_modules/lodash/index.js", "nodejs/package.json")
    assert found(layer, targets=()) == []
    finding = only(found(layer))
    assert (finding.severity, finding.where) == (Severity.NOTE, "layer.zip: nodejs")
    assert finding.message == "2 files, 200 bytes, for Node.js only: python3.12 looks elsewhere"


def test_python_in_a_node_stack_is_a_note() -> None:
    function = holding("index.mjs", runtimes=("nodejs22.x",))
    finding = only(found(holding(*installed("python", "requests")), function=function, targets=()))
    assert (finding.severity, finding.where) == (Severity.NOTE, "layer.zip: python")


def test_a_runtime_of_the_users_own_may_look_anywhere() -> None:
    own = make_target("provided.al2023", "arm64")
    assert found(holding(*installed("", "requests")), holding(*installed("python", "a")), targets=(own,)) == []


def test_a_functions_packages_belong_at_the_top() -> None:
    assert found(function=holding("app.py", *installed("", "requests"), *installed("vendor", "idna"))) == []


@pytest.mark.parametrize("folder", ["python", SITE, "lib/python3.12/site-packages", "site-packages"])
def test_a_functions_packages_in_a_layers_folder_are_a_warning(folder: str) -> None:
    finding = only(found(function=holding("app.py", *installed(folder, "requests"), where="build")))
    assert (finding.severity, finding.where) == (Severity.WARNING, f"build: {folder}")
    assert finding.message.startswith("`requests` cannot be imported")


def test_a_functions_own_package_may_be_called_python() -> None:
    assert found(function=holding("python/__init__.py", "app.py")) == []


def test_a_virtual_environment_beside_a_functions_packages_is_left_to_leftovers() -> None:
    environment = [".venv/pyvenv.cfg", *installed(".venv/lib/python3.12/site-packages", "requests")]
    assert found(function=holding("app.py", *installed("", "requests"), *environment)) == []
