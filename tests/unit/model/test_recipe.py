"""Recipes: what a good one means, and what is said about a bad one."""

from pathlib import Path

import pytest

from layerkit.errors import RecipeError
from layerkit.facts import Architecture
from layerkit.model.recipe import (
    Budget,
    Build,
    Builder,
    Compression,
    Example,
    IndexStrategy,
    Layer,
    Layout,
    Prune,
    PruneProfile,
    Recipe,
    RecipeFile,
    RecipeIndex,
)

PATH = Path("recipes/x/layer.toml")
LAYER = '[layer]\nname = "x"\nrequirements = ["requests"]\n'

FULL = """\
[layer]
name = "json-to-csv"
description = "AWS SDK for pandas"
license = "Apache-2.0"
requirements = ["awswrangler"]                  # or requirements-file
runtimes = ["python3.12", "python3.13"]
architectures = ["x86_64", "arm64"]
exclude = ["boto3", "Jmes_Path"]
[build]
builder = "container"
image = { x86_64 = "quay.io/pypa/manylinux_2_34_x86_64", arm64 = "quay.io/pypa/manylinux_2_34_aarch64" }
system-packages = ["libpq-devel"]
libraries = ["libexpat.so.1"]
no-binary = ["psycopg2"]
bytecode = true
compress = "best"
strip = false
layout = "site-packages"
env = { CFLAGS = "-O2" }
[prune]
profile = "none"
keep = ["pandas/tests/**"]
drop = ["pyarrow/include/**", "some-dist:bin/*"]
botocore-services = ["s3", "dynamodb"]
[[files]]
source = "config/app.toml"
target = "etc/app.toml"
[[files]]
source = "bin/tool"
target = "./bin//tool"
executable = true
[budget]
unzipped = "180 MiB"
zipped = 1048576
[example]
handler = "lambda_function.lambda_handler"
code = "example"
event = "example/event.json"
imports = ["awswrangler", "pandas.io"]
[index]
url = "https://${USER}:${PASSWORD}@pypi.example/simple"
extra-urls = ["https://other.example/simple"]
find-links = ["wheels/"]
no-index = false
strategy = "unsafe-best-match"
ca-bundle = "ca.pem"
proxy = "http://proxy.example:3128"
keyring = true
"""


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(RecipeError) as caught:
        Recipe.from_toml(text, path=PATH)
    assert caught.value.exit_code == 2
    return caught.value.details


def test_a_recipe_that_says_everything() -> None:
    assert Recipe.from_toml(FULL, path=PATH) == Recipe(
        path=PATH,
        layer=Layer(
            name="json-to-csv",
            description="AWS SDK for pandas",
            license="Apache-2.0",
            requirements=("awswrangler",),
            runtimes=("python3.12", "python3.13"),
            architectures=(Architecture.X86_64, Architecture.ARM64),
            exclude=("boto3", "jmes-path"),
        ),
        build=Build(
            builder=Builder.CONTAINER,
            images={
                Architecture.X86_64: "quay.io/pypa/manylinux_2_34_x86_64",
                Architecture.ARM64: "quay.io/pypa/manylinux_2_34_aarch64",
            },
            system_packages=("libpq-devel",),
            libraries=("libexpat.so.1",),
            no_binary=("psycopg2",),
            bytecode=True,
            compress=Compression.BEST,
            strip=False,
            layout=Layout.SITE_PACKAGES,
            env={"CFLAGS": "-O2"},
        ),
        prune=Prune(
            profile=PruneProfile.NONE,
            keep=("pandas/tests/**",),
            drop=("pyarrow/include/**", "some-dist:bin/*"),
            botocore_services=("s3", "dynamodb"),
        ),
        files=(
            RecipeFile(source="config/app.toml", target="etc/app.toml"),
            RecipeFile(source="bin/tool", target="bin/tool", executable=True),
        ),
        budget=Budget(unzipped=188_743_680, zipped=1_048_576),
        examples=(
            Example(
                handler="lambda_function.lambda_handler",
                code="example",
                event="example/event.json",
                imports=("awswrangler", "pandas.io"),
            ),
        ),
        index=RecipeIndex(
            url="https://${USER}:${PASSWORD}@pypi.example/simple",
            extra_urls=("https://other.example/simple",),
            find_links=("wheels/",),
            no_index=False,
            strategy=IndexStrategy.UNSAFE_BEST_MATCH,
            ca_bundle="ca.pem",
            proxy="http://proxy.example:3128",
            keyring=True,
        ),
    )


def test_a_recipe_that_says_little_gets_the_defaults() -> None:
    recipe = Recipe.from_toml(LAYER, path=PATH)
    assert recipe == Recipe(path=PATH, layer=Layer(name="x", requirements=("requests",)))
    assert (recipe.layer.runtimes, recipe.architectures) == ((), (Architecture.X86_64,))
    assert recipe.build == Build(
        builder=Builder.AUTO,
        images={},
        bytecode=False,
        compress=Compression.COPY,
        strip=True,
        layout=Layout.PYTHON,
        universal=False,
    )
    assert recipe.prune.profile is PruneProfile.STANDARD


def test_one_image_serves_both_architectures() -> None:
    build = Recipe.from_toml(LAYER + '[build]\nimage = "img"\n', path=PATH).build
    assert build.images == {Architecture.X86_64: "img", Architecture.ARM64: "img"}


def test_requirements_may_lie_in_a_file() -> None:
    recipe = Recipe.from_toml('[layer]\nname = "x"\nrequirements-file = "requirements.txt"\n', path=PATH)
    assert recipe.layer.requirements_file == "requirements.txt"
    assert recipe.has_requirements


def test_files_alone_make_a_layer_for_a_runtime_without_python() -> None:
    text = '[layer]\nname = "x"\nruntimes = ["provided.al2023"]\n[[files]]\nsource = "b"\ntarget = "bootstrap"\n'
    recipe = Recipe.from_toml(text, path=PATH)
    assert not recipe.has_requirements
    assert recipe.layer.runtimes == ("provided.al2023",)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm() -> None:
    text = "\ufeff" + LAYER.replace("\n", "\r\n")
    assert Recipe.from_toml(text, path=PATH) == Recipe.from_toml(LAYER, path=PATH)


def test_passwords_are_not_in_the_repr() -> None:
    text = (
        FULL.replace("${PASSWORD}", "hunter2").replace("proxy.example:", "u:hunter2@proxy:").replace("-O2", "hunter2")
    )
    assert "hunter2" not in repr(Recipe.from_toml(text, path=PATH))


def test_every_mistake_is_listed_with_its_line_in_order() -> None:
    text = """\
# a recipe
[layer]
name = "a.b"
runtime = ["python3.12"]
requirements = [
  "requests>=",
  3,
]
runtimes = ["python3.99"]
architectures = ["aarch64"]
[biuld]
[build]
builder = "docker"
bytecode = "yes"
[budget]
unzipped = "12 parsecs"
[prune]
profile = "hard"
"""
    found = problems(text)
    assert [line.partition(":")[0] for line in found] == [
        f"line {number}" for number in (3, 4, 5, 5, 9, 10, 11, 13, 14, 16, 18)
    ]
    assert found[1] == "line 4: unknown key `runtime` in [layer]; did you mean `runtimes`?"
    assert found[6] == "line 11: unknown section [biuld]; did you mean [build]?"
    assert found[7] == "line 13: unknown builder `docker` in [build]; one of auto, wheels, local, container"
    assert found[8] == "line 14: `bytecode` in [build] must be true or false, not a string"
    assert found[10] == "line 18: unknown prune profile `hard` in [prune]; one of standard, none"


def test_the_error_names_the_recipe_and_the_number_of_mistakes() -> None:
    with pytest.raises(RecipeError) as caught:
        Recipe.from_toml("[layer]\n", path=Path("x.toml"))
    assert caught.value.message == "recipe `x.toml` has 2 mistakes"
    assert caught.value.details == (
        "line 1: [layer] has no `name`",
        "line 1: nothing to put into the layer: no `requirements`, `requirements-file` or [[files]]",
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[layer]\nname = \n", "line 2: invalid value"),
        ('[layer]\nname = "x"\nname = "y"\n', "line 3: cannot overwrite a value"),
        ('[layer]\nname = "x', "line 2: unterminated string"),
    ],
)
def test_a_text_that_is_no_toml_is_told_with_its_line(text: str, problem: str) -> None:
    assert problems(text) == (problem,)


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("name", "3", "`name` in [layer] must be a string, not a number"),
        ("name", '""', "`name` in [layer] is empty"),
        ("name", '"python3.13"', "name `python3.13` in [layer] must consist of letters, digits, `-` and `_`"),
        ("description", f'"{"d" * 257}"', "`description` in [layer] has 257 characters, over Lambda's 256"),
        ("license", f'"{"d" * 513}"', "`license` in [layer] has 513 characters, over Lambda's 512"),
        ("exclude", '"boto3"', "`exclude` in [layer] must be a list of strings, not a string"),
        ("exclude", '["boto3>1"]', "`boto3>1` is not the name of a distribution"),
        ("exclude", '["a", "a"]', "`exclude` in [layer] names `a` twice"),
        ("architectures", '["amd64"]', "unknown architecture `amd64`; one of x86_64, arm64"),
        ("requirements-file", '"r.txt"', "`requirements` and `requirements-file` in [layer] exclude each other"),
        ("runtimes", '["provided.al2"]', "runtime `provided.al2` has no Python, so no `requirements`"),
        ("runtimes", "2026-01-01", "`runtimes` in [layer] must be a list of strings, not a date or time"),
        ("runtimes", '["python3.12", ""]', "`runtimes` in [layer] must hold strings only, not an empty string"),
    ],
)
def test_a_mistake_in_the_layer(key: str, value: str, problem: str) -> None:
    lines = {"name": '"x"', "requirements": '["requests"]', key: value}
    text = "[layer]\n" + "".join(f"{name} = {given}\n" for name, given in lines.items())
    assert problems(text) == (f"line {2 + list(lines).index(key)}: {problem}",)


def test_a_runtime_that_is_gone_is_told_with_its_date() -> None:
    (problem,) = problems(LAYER + 'runtimes = ["python3.6"]\n')
    assert problem.startswith("line 4: runtime `python3.6` is gone: ")
    assert "2022-08-29" in problem


def test_an_architecture_must_be_there_for_every_runtime() -> None:
    text = LAYER + 'runtimes = ["python3.7", "python3.12"]\narchitectures = ["x86_64", "arm64"]\n'
    assert problems(text) == ("line 5: runtime `python3.7` has no architecture `arm64`; one of x86_64",)


def test_the_name_must_fit_lambda_as_it_is_published() -> None:
    fits, too_long = "n" * 122, "n" * 123  # 122 + len("-python312-x86_64") is 139
    good = LAYER.replace('"x"', f'"{fits}n"') + 'runtimes = ["python3.12"]\n'
    assert Recipe.from_toml(good, path=PATH).layer.name == too_long
    (problem,) = problems(LAYER.replace('"x"', f'"{too_long}n"') + 'runtimes = ["python3.12"]\n')
    assert problem.startswith("line 2: `name` in [layer] is too long: ")
    assert "has 141 characters, over Lambda's 140" in problem


def test_a_universal_name_is_published_as_it_is() -> None:
    text = LAYER.replace('"x"', f'"{"n" * 140}"') + "[build]\nuniversal = true\n"
    assert Recipe.from_toml(text, path=PATH).build.universal


@pytest.mark.parametrize(
    ("requirement", "reason"),
    [
        ("-e .", "expected package name at the start of dependency specifier"),
        ("requests==", "expected"),
        ("requests>=abc", "expected"),
        ("requests ; python_versio > '3'", "expected a marker variable or quoted string"),
        ("requests --hash=sha256:00", "expected"),
    ],
)
def test_a_requirement_must_be_pep_508(requirement: str, reason: str) -> None:
    (problem,) = problems(f'[layer]\nname = "x"\nrequirements = ["{requirement}"]\n')
    assert problem.startswith(f"line 3: `{requirement}` is not a PEP 508 requirement: {reason}")


def test_a_password_in_a_bad_requirement_is_not_repeated() -> None:
    (problem,) = problems('[layer]\nname = "x"\nrequirements = ["a @ https://u:p@ss@h.example/a.whl ; bogus"]\n')
    assert "ss@" not in problem
    assert "https://h.example/a.whl" in problem


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("/etc/app", "is absolute; it is relative to /opt"),
        ("../app", "leaves the layer with `..`"),
        ("etc/../../app", "leaves the layer with `..`"),
        ("etc\\\\app", "has a backslash; folders are parted by `/`"),
        ("C:app", "has a drive letter; it is relative to /opt"),
        ("etc/", "names a folder; name the file itself"),
        (".", "names a folder; name the file itself"),
        ("etc/\\u0000app", "has control characters"),
    ],
)
def test_a_file_stays_below_opt(target: str, problem: str) -> None:
    (found,) = problems(LAYER + f'[[files]]\nsource = "a"\ntarget = "{target}"\n')
    assert found.startswith("line 6: target `")
    assert found.endswith(f"of [[files]] {problem}")


@pytest.mark.parametrize(
    ("second", "problem"),
    [
        ("etc/app", "two [[files]] have the target `etc/app`"),
        ("./etc//app", "two [[files]] have the target `etc/app`"),
        ("etc/App", "targets `etc/app` and `etc/App` of [[files]] differ only in case"),
    ],
)
def test_two_files_need_two_targets_on_every_file_system(second: str, problem: str) -> None:
    files = "".join(f'[[files]]\nsource = "a"\ntarget = "{target}"\n' for target in ("etc/app", second))
    assert problems(LAYER + files) == (f"line 9: {problem}",)


def test_a_file_needs_source_and_target() -> None:
    assert problems(LAYER + "[[files]]\nexecutable = true\n") == (
        "line 4: [[files]] has no `source`",
        "line 4: [[files]] has no `target`",
    )


def test_files_are_an_array_of_tables() -> None:
    assert problems(LAYER + '[files]\nsource = "a"\n') == ("line 4: `files` must be sections [[files]]",)


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ('[build]\ncompress = "zip"\n', "unknown compression `zip` in [build]; one of copy, best"),
        ('[build]\nlayout = "flat"\n', "unknown layout `flat` in [build]; one of python, site-packages"),
        ("[build]\nstrip = 1\n", "`strip` in [build] must be true or false, not a number"),
        ("[build]\nimage = 3\n", "`image` in [build] must be a string or a table of strings, not a number"),
        ('[build]\nimage = { aarch64 = "i" }\n', "unknown architecture `aarch64`; one of x86_64, arm64"),
        ("[build]\nenv = { A = 3 }\n", "`env.A` in [build] must be a string, not a number"),
        (
            '[build]\nenv = { "A B" = "" }\n',
            "`A B` of `env` in [build] is not the name of an environment variable",
        ),
        (
            '[build]\nsystem-packages = ["--setopt"]\n',
            "`--setopt` of `system-packages` in [build] is not the name of a system package",
        ),
        (
            '[build]\nlibraries = ["/lib/libpq.so.5"]\n',
            "`/lib/libpq.so.5` of `libraries` in [build] is not the file name of a shared library",
        ),
        ("[budget]\nunzipped = true\n", "`unzipped` in [budget] must be a string such as"),
        ('[budget]\nzipped = "-1"\n', "`-1` is not a size; write for example"),
        ('[example]\nhandler = "handler"\n', "handler `handler` in [example] is not MODULE.FUNCTION"),
        ('[example]\nimports = ["a-b"]\n', "`a-b` of `imports` in [example] is not the module"),
        (
            '[index]\nstrategy = "any"\n',
            "unknown index strategy `any` in [index]; one of first-index, unsafe-best-match",
        ),
        ('[index]\nurls = "x"\n', "unknown key `urls` in [index]; did you mean `url`?"),
    ],
)
def test_a_mistake_in_another_section(section: str, problem: str) -> None:
    (found,) = problems(LAYER + section)
    assert found.startswith(f"line 5: {problem}")


def test_a_universal_layer_has_no_bytecode_and_the_layout_for_every_python() -> None:
    text = LAYER + '[build]\nuniversal = true\nbytecode = true\nlayout = "site-packages"\n'
    assert [problem[:7] for problem in problems(text)] == ["line 6:", "line 7:"]


def test_a_value_in_the_place_of_a_section_is_told() -> None:
    assert "line 1: `build` must be a section [build], not a number" in problems("build = 3\n" + LAYER)
