"""Layers that others made: an audit finds what is wrong with each of them, all of it, and nothing else."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.foreign import layers
from tests.foreign.verdict import Verdict, audit, error, note, warning
from tests.foreign.yard import Yard

pytestmark = [pytest.mark.network, pytest.mark.interpreter]

X86: Final = "python3.12-x86_64"
URLLIB3: Final = note("stack.shadows-runtime", "urllib3 2.8.0 for")
NUMPY_TESTS: Final = note("layout.leftover", "tests of packages", "`numpy`")
NUMPY_STUBS: Final = note("layout.leftover", "type stubs, headers and sources", "`numpy`")


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Yard:
    return Yard(tmp_path_factory.mktemp("foreign"))


@pytest.fixture
def find(yard: Yard) -> Callable[..., Verdict]:
    """Audit layers of the yard."""

    def find(*argv: str | Path) -> Verdict:
        return audit(*argv, cache=yard.root / "cache")

    return find


class TestRight:
    def test_pip_into_a_folder_zipped(self, yard: Yard, find: Callable[..., Verdict]) -> None:
        verdict = find(layers.by_pip(yard))
        assert verdict.disagreements([URLLIB3]) == []
        assert (verdict.code, verdict.targets) == (0, [X86])

    def test_what_sam_builds(self, yard: Yard, find: Callable[..., Verdict]) -> None:
        verdict = find(layers.by_sam(yard))
        assert verdict.disagreements([URLLIB3]) == []
        assert (verdict.code, verdict.targets) == (0, [X86])

    def test_numpy_for_the_function_that_it_is_for(self, yard: Yard, find: Callable[..., Verdict]) -> None:
        verdict = find(layers.numpy_for_arm64(yard))
        assert verdict.disagreements([NUMPY_TESTS, NUMPY_STUBS]) == []
        assert (verdict.code, verdict.targets) == (0, ["python3.12-arm64"])


class TestZips:
    def test_a_virtual_environment_zipped_whole(self, yard: Yard, find: Callable[..., Verdict]) -> None:
        """It works, and half of it is there for nothing."""
        verdict = find(layers.venv_whole(yard))
        twice = warning("layout.unreachable", "`python/lib64/` is a copy of `python/lib/`", "MiB", "nothing reads")
        pip = warning("layout.leftover", "installers", "`pip`")
        shadows = note("stack.shadows-runtime", "pip", "urllib3 2.8.0 for")
        assert verdict.disagreements([twice, pip, shadows]) == []
        assert (verdict.code, verdict.targets) == (0, [X86])

    def test_modes_that_lambda_cannot_read(self, yard: Yard, find: Callable[..., Verdict]) -> None:
        verdict = find(layers.private_modes(yard))
        closed = error("zip.not-readable", "paths that Lambda's user cannot read", "chmod")
        assert verdict.disagreements([closed, URLLIB3]) == []
        assert verdict.code == 1

    def test_packages_at_the_top(self, yard: Yard, find: Callable[..., Verdict]) -> None:
        verdict = find(layers.without_python_folder(yard))
        lost = error("layout.unreachable", "nothing in this layer can be imported", "packages lie at the top")
        assert verdict.disagreements([lost]) == []
        assert verdict.code == 1

    def test_one_folder_too_many(self, yard: Yard, find: Callable[..., Verdict]) -> None:
        verdict = find(layers.in_a_folder(yard))
        lost = error("layout.unreachable", "nothing in this layer can be imported", "in the folder `layer/`")
        assert verdict.disagreements([lost]) == []
        assert verdict.code == 1

    def test_what_the_finder_adds(self, yard: Yard, find: Callable[..., Verdict]) -> None:
        verdict = find(layers.by_macos(yard))
        junk = note("layout.leftover", "a desktop or an editor made", "`__MACOSX`", ".DS_Store")
        assert verdict.disagreements([junk, URLLIB3]) == []
        assert verdict.code == 0

    def test_secrets_that_were_swept_along(self, yard: Yard, find: Callable[..., Verdict]) -> None:
        verdict = find(layers.with_secrets(yard))
        named = warning("layout.secret", "3 files", "`.env`", "`python/.netrc`", "`python/.aws/credentials`")
        key = warning("layout.secret", "private key", "python/certificates/server.key")
        assert verdict.disagreements([named, key, URLLIB3]) == []
        assert "hunter2" not in str(verdict.answer) + verdict.stderr
        assert verdict.code == 0

    def test_bytecode_of_the_python_that_ran_pip(self, yard: Yard, find: Callable[..., Verdict]) -> None:
        verdict = find(layers.compiled_elsewhere(yard))
        stale = warning("python.stale-bytecode", "compiled by Python 3.11: never used by python3.13", "MiB")
        assert verdict.disagreements([stale, URLLIB3]) == []
        assert (verdict.code, verdict.targets) == (0, ["python3.13-x86_64"])


class TestBinaries:
    def test_another_architecture(self, yard: Yard, find: Callable[..., Verdict]) -> None:
        verdict = find(layers.numpy_for_arm64(yard), "--arch", "x86_64")
        foreign = error("elf.architecture", "numpy brings", "binaries", "aarch64", "python3.12-x86_64 cannot load them")
        assert verdict.disagreements([foreign, NUMPY_TESTS, NUMPY_STUBS]) == []
        assert (verdict.code, verdict.targets) == (1, [X86])

    def test_a_newer_glibc_than_the_runtime_has(self, yard: Yard, find: Callable[..., Verdict]) -> None:
        verdict = find(layers.numpy_too_new(yard))
        newer = error("elf.glibc", "numpy", "GLIBC_2.27 of libm.so.6", "python3.11 has glibc 2.26")
        assert verdict.disagreements([newer, NUMPY_TESTS, NUMPY_STUBS]) == []
        assert (verdict.code, verdict.targets) == (1, ["python3.11-x86_64"])

    def test_another_python(self, yard: Yard, find: Callable[..., Verdict]) -> None:
        verdict = find(layers.numpy_for_arm64(yard), "--runtime", "python3.13")
        abi = error("python.abi", "numpy brings 19 modules", "cpython-312", "python3.13 will not import them")
        assert verdict.disagreements([abi, NUMPY_TESTS, NUMPY_STUBS]) == []
        assert (verdict.code, verdict.targets) == (1, ["python3.13-arm64"])

    @pytest.mark.parametrize("system", ["macOS", "Windows"])
    def test_another_operating_system(self, system: str, yard: Yard, find: Callable[..., Verdict]) -> None:
        verdict = find(layers.for_another_system(yard, system), "--runtime", "python3.12")
        packages = ("`charset-normalizer`", "`pydantic-core`")
        foreign = error("elf.architecture", *packages, f"are for {system}, and Lambda runs Linux", "manylinux2014")
        assert verdict.disagreements([foreign, URLLIB3]) == []
        assert verdict.code == 1

    def test_another_c_library(self, yard: Yard, find: Callable[..., Verdict]) -> None:
        verdict = find(layers.for_another_system(yard, "Alpine"))
        musl = [
            error("elf.missing-library", f"{name} needs `libc.", "built for Alpine (musllinux): take a manylinux wheel")
            for name in ("charset-normalizer", "pydantic-core")
        ]
        assert verdict.disagreements([*musl, URLLIB3]) == []
        assert (verdict.code, verdict.targets) == (1, [X86])


class TestStacks:
    def test_three_layers_that_fit_and_do_not_fit_together(self, yard: Yard, find: Callable[..., Verdict]) -> None:
        arrow, frames, wrangler = layers.science(yard)
        together = find(arrow, frames, wrangler)
        sizes = error("size.unzipped", "over Lambda's 250 MiB by", "largest: pyarrow", "numpy", "pandas", "botocore")
        expected = [
            sizes,
            *(note("layout.leftover", "tests of packages", name) for name in ("`pyarrow`", "`pandas`, `numpy`")),
            *(note("layout.leftover", "type stubs, headers and sources", name) for name in ("`pyarrow`", "`numpy`")),
            note("stack.duplicate-distribution", "`python-dateutil 2.9.0.post0`, `six 1.17.0` are each there 2 times"),
            note("stack.shadows-runtime", "boto3", "botocore", "jmespath", "s3transfer", "urllib3"),
            note("python.path-file", "distutils-precedence.pth`"),
        ]
        assert together.disagreements(expected) == []
        assert (together.code, together.targets) == (1, [X86])
        assert together.answer["stack"]["unzipped_bytes"] == sum(map(bytes_in, (arrow, frames, wrangler)))
        for layer in (arrow, frames, wrangler):
            assert find(layer, "--runtime", "python3.12").code == 0

    def test_a_layer_that_overwrites_others(self, yard: Yard, find: Callable[..., Verdict]) -> None:
        first, second, last = layers.overwriting(yard)
        verdict = find(first, second, last)
        expected = [
            warning(
                "stack.overwritten", f"files of {first}, 13 of them with other content", "(requests over requests)"
            ),
            warning("stack.overwritten", f"1 file of {second}, with other content: `python/shared/settings.py`"),
            warning("stack.duplicate-distribution", f"2.31.0 in {first}", f"2.32.5 in {last} is imported"),
            note("stack.duplicate-distribution", "`charset-normalizer 3.5.2`", "`urllib3 2.8.0`", "and 1 more"),
            URLLIB3,
        ]
        assert verdict.disagreements(expected) == []
        assert (verdict.code, verdict.targets) == (0, [X86])
        changed = {each["path"] for each in verdict.answer["stack"]["overwritten"] if each["differs"]}
        assert {"python/shared/settings.py", "python/requests/__version__.py"} <= changed

    def test_the_same_packages_in_two_layers(self, yard: Yard, find: Callable[..., Verdict]) -> None:
        """Room is wasted; that bytecode holds the time of its source is no alarm."""
        expected = [
            note("stack.overwritten", "of them with other content", ".pyc"),
            note("stack.duplicate-distribution", "`pydantic-core 2.41.4`", "are each there 2 times"),
            URLLIB3,
        ]
        assert find(*layers.twins(yard)).disagreements(expected) == []

    def test_a_function_that_hides_a_package_of_its_layer(self, yard: Yard, find: Callable[..., Verdict]) -> None:
        layer, function = layers.shadowing_function(yard)
        verdict = find(layer, "--function", function)
        hidden = warning("stack.duplicate-distribution", "idna", f"3.20 in {layer}", f"3.7 in {function} is imported")
        assert verdict.disagreements([hidden, URLLIB3]) == []
        assert verdict.code == 0

    def test_a_dependency_that_no_layer_brings(self, yard: Yard, find: Callable[..., Verdict]) -> None:
        """Certifi and urllib3 come with another layer."""
        verdict = find(*layers.halves(yard), "--runtime", "python3.14", "--arch", "arm64")
        missing = [
            warning("python.missing-dependency", f"`requests` requires `{name}", f"add {name}")
            for name in ("charset-normalizer", "idna")
        ]
        assert verdict.disagreements([*missing, URLLIB3]) == []
        assert verdict.code == 0

    def test_what_the_runtime_brings_is_not_missing(self, yard: Yard, find: Callable[..., Verdict]) -> None:
        layer = yard.uv_target("requests-alone", "requests==2.32.5", dependencies=False)
        verdict = find(layer, "--runtime", "python3.14", "--arch", "arm64")
        assert {each["code"] for each in verdict.findings} == {"python.missing-dependency"}
        assert "urllib3" not in str([each["message"] for each in verdict.findings])

    def test_botocore_without_its_boto3(self, yard: Yard, find: Callable[..., Verdict]) -> None:
        verdict = find(layers.half_of_the_sdk(yard), "--runtime", "python3.12")
        mixed = warning("stack.shadows-runtime", "would run with botocore", "do not go together")
        shadows = note("stack.shadows-runtime", "botocore", "jmespath", "urllib3")
        assert verdict.disagreements([mixed, shadows]) == []
        assert (verdict.code, verdict.targets) == (0, [X86])


class TestExitCodes:
    @pytest.mark.parametrize(("options", "code"), [((), 0), (("--fail-on", "warning"), 1), (("--fail-on", "never"), 0)])
    def test_warnings(self, options: tuple[str, ...], code: int, yard: Yard, find: Callable[..., Verdict]) -> None:
        assert find(layers.venv_whole(yard), *options).code == code

    @pytest.mark.parametrize(("options", "code"), [((), 1), (("--fail-on", "warning"), 1), (("--fail-on", "never"), 0)])
    def test_errors(self, options: tuple[str, ...], code: int, yard: Yard, find: Callable[..., Verdict]) -> None:
        assert find(layers.numpy_too_new(yard), *options).code == code

    @pytest.mark.parametrize(("budget", "code"), [("60MiB", 0), ("50 MiB", 1)])
    def test_budgets(self, budget: str, code: int, yard: Yard, find: Callable[..., Verdict]) -> None:
        verdict = find(layers.numpy_for_arm64(yard), "--budget", budget)
        over = [error("size.budget", "over the budget of 50.0 MiB", "largest: numpy")] * code
        assert verdict.disagreements([*over, NUMPY_TESTS, NUMPY_STUBS]) == []
        assert verdict.code == code


def bytes_in(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
