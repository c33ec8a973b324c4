"""For which targets a stack is judged: what is told wins over what files say, and what disagrees says nothing."""

import pytest

from layerkit.audit.targets import infer_targets, share_a_target
from layerkit.errors import UnknownArchitectureError, UnknownRuntimeError
from layerkit.model.contents import Contents, Insides
from layerkit.model.stack import Stack
from tests.unit.audit.holding import elf, holding, installed

BOTH = ["python3.12-x86_64", "python3.12-arm64"]
PURE = holding(*installed("python", "requests"))
PYC_311 = (3495).to_bytes(2, "little") + b"\r\n" + bytes(12)


def inferred(
    *layers: Contents, function: Contents | None = None, runtime: str | None = None, architecture: str | None = None
) -> list[str]:
    stack = Stack(layers=layers, function=function)
    return [target.identifier for target in infer_targets(stack, runtime=runtime, architecture=architecture)]


def tagged(*tags: str) -> Contents:
    return holding(*installed("python", "native"), tags={"native": tags})


def test_options_win_over_manifests_and_files() -> None:
    layer = holding(*installed("python", "a"), runtimes=("python3.11",), architectures=("arm64",))
    assert inferred(layer, runtime="python3.13", architecture="x86_64") == ["python3.13-x86_64"]


def test_nothing_told_and_nothing_to_see_is_no_target() -> None:
    assert inferred(PURE) == []


def test_an_architecture_alone_is_no_target() -> None:
    assert inferred(PURE, architecture="arm64") == []


def test_a_runtime_alone_is_every_architecture_of_it_where_no_native_code_tells() -> None:
    assert inferred(PURE, runtime="python3.12") == BOTH
    assert inferred(PURE, runtime="python3.7") == ["python3.7-x86_64"]


@pytest.mark.parametrize(
    "layer",
    [
        holding("lib/libx.so", insides=Insides(binaries={"lib/libx.so": elf("aarch64")})),
        holding("python/x.cpython-312-aarch64-linux-gnu.so"),
        tagged("py3-none-manylinux_2_28_aarch64"),
        tagged("cp39-abi3-manylinux_2_17_aarch64.manylinux2014_aarch64"),
        tagged("cp312-cp312-linux_aarch64"),
    ],
    ids=["elf", "module name", "tag", "compressed tags", "plain linux"],
)
def test_native_code_tells_the_architecture(layer: Contents) -> None:
    assert inferred(layer, runtime="python3.12") == ["python3.12-arm64"]


def test_native_code_of_both_architectures_tells_neither() -> None:
    facts = {"bin/a": elf("x86_64"), "bin/b": elf("aarch64")}
    assert inferred(holding(*facts, insides=Insides(binaries=facts)), runtime="python3.12") == []


def test_modules_tell_more_than_programs_that_come_for_every_machine() -> None:
    facts = {"python/a.cpython-312-x86_64-linux-gnu.so": elf("x86_64"), "python/tools/b-arm64": elf("aarch64")}
    assert inferred(holding(*facts, insides=Insides(binaries=facts))) == ["python3.12-x86_64"]


def test_claims_are_every_pair_that_lambda_has() -> None:
    layer = holding("python/x.py", runtimes=("python3.7", "python3.12"), architectures=("x86_64", "arm64"))
    assert inferred(layer) == ["python3.7-x86_64", "python3.12-x86_64", "python3.12-arm64"]


def test_claims_of_layers_are_intersected_and_a_layer_without_any_does_not_count() -> None:
    first = holding(runtimes=("python3.11", "python3.12"), architectures=("x86_64", "arm64"))
    second = holding(runtimes=("python3.12", "python3.13"), architectures=("arm64",))
    assert inferred(first, PURE, second) == ["python3.12-arm64"]


def test_claims_that_contradict_each_other_are_no_target() -> None:
    layers = holding(runtimes=("python3.11",)), holding(runtimes=("python3.12",))
    assert inferred(*layers) == []
    assert inferred(*layers, runtime="python3.12") == BOTH
    assert inferred(holding(architectures=("arm64",)), holding(architectures=("x86_64",)), runtime="python3.12") == []


def test_what_lambda_says_of_the_function_wins_over_its_layers() -> None:
    function = holding("app.py", runtimes=("python3.13",), architectures=("arm64",))
    layer = holding(runtimes=("python3.12",), architectures=("x86_64",))
    assert inferred(layer, function=function) == ["python3.13-arm64"]


def test_claims_of_runtimes_that_layerkit_knows_nothing_of_are_passed_over() -> None:
    assert inferred(holding(runtimes=("nodejs22.x", "python3.12"), architectures=("arm64",))) == ["python3.12-arm64"]


@pytest.mark.parametrize(
    "layer",
    [
        holding(*installed("python/lib/python3.12/site-packages", "a")),
        holding("python/x.cpython-312-x86_64-linux-gnu.so", "python/y.cpython-312-aarch64-linux-gnu.so"),
        tagged("cp312-cp312-macosx_11_0_arm64"),
        holding(*installed("python", "a", python="312")),
    ],
    ids=["folder", "module names", "tag", "bytecode"],
)
def test_files_tell_the_python(layer: Contents) -> None:
    assert [name.partition("-")[0] for name in inferred(layer, architecture="x86_64")] == ["python3.12"]


def test_bytecode_without_a_source_tells_the_python_by_its_content() -> None:
    layer = holding("python/x.pyc", insides=Insides(bytecode={"python/x.pyc": PYC_311}))
    assert inferred(layer, architecture="arm64") == ["python3.11-arm64"]


@pytest.mark.parametrize("tags", [("py3-none-any",), ("cp39-abi3-manylinux2014_x86_64",), ("cp311-none-any",)])
def test_pure_and_stable_abi_wheels_say_nothing_about_the_version(tags: tuple[str, ...]) -> None:
    assert inferred(tagged(*tags)) == []


def test_a_wheel_for_several_pythons_says_nothing_about_the_version() -> None:
    assert inferred(tagged("cp311-cp311-linux_x86_64", "cp312-cp312-linux_x86_64")) == []


def test_native_code_tells_more_than_bytecode() -> None:
    layer = holding("python/x.cpython-312-x86_64-linux-gnu.so", *installed("python", "a", python="311"))
    assert inferred(layer) == ["python3.12-x86_64"]


def test_folders_for_several_pythons_are_a_layer_for_each() -> None:
    paths = [path for minor in (11, 12) for path in installed(f"python/lib/python3.{minor}/site-packages", "a")]
    assert inferred(holding(*paths), architecture="arm64") == ["python3.11-arm64", "python3.12-arm64"]


@pytest.mark.parametrize(
    "layer",
    [
        holding("python/lib/python3.12/site-packages/x.cpython-311-x86_64-linux-gnu.so"),
        holding("python/x.cpython-311-x86_64-linux-gnu.so", "python/y.cpython-312-x86_64-linux-gnu.so"),
        holding(*installed("python", "a", python="311"), *installed("python", "b", python="312")),
    ],
    ids=["folder and module", "modules", "bytecode"],
)
def test_what_disagrees_is_no_target(layer: Contents) -> None:
    assert inferred(layer) == []


def test_the_functions_files_tell_as_well() -> None:
    function = holding("app.py", "x.cpython-313-aarch64-linux-gnu.so")
    assert inferred(PURE, function=function) == ["python3.13-arm64"]


def test_what_the_user_asks_for_must_be_there() -> None:
    with pytest.raises(UnknownRuntimeError):
        inferred(PURE, runtime="python4.0")
    with pytest.raises(UnknownArchitectureError):
        inferred(PURE, architecture="riscv")
    with pytest.raises(UnknownArchitectureError):
        inferred(PURE, runtime="python3.7", architecture="arm64")


def test_a_runtime_that_is_gone_is_still_judged() -> None:
    assert inferred(PURE, runtime="python3.6") == ["python3.6-x86_64"]


@pytest.mark.parametrize(
    ("layers", "together"),
    [
        ((PURE, PURE), True),
        ((PURE, holding(runtimes=("python3.12",), architectures=("arm64",))), True),
        ((holding(runtimes=("python3.12", "python3.13")), holding(runtimes=("python3.13",))), True),
        ((holding(runtimes=("python3.12",)), holding(runtimes=("python3.13",))), False),
        ((holding(architectures=("arm64",)), holding(architectures=("x86_64",))), False),
        ((holding(architectures=("arm64",)), PURE, holding(architectures=("x86_64", "arm64"))), True),
        ((), True),
    ],
)
def test_layers_share_a_target_unless_their_claims_exclude_each_other(
    layers: tuple[Contents, ...], together: bool
) -> None:
    assert share_a_target(layers) is together
