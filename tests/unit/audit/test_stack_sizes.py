"""Does a stack fit."""

from dataclasses import replace

import pytest

from layerkit.audit.measure import NO_DISTRIBUTION, by_distribution, by_file, by_kind, without_distribution
from layerkit.audit.stack_sizes import stack_size_findings
from layerkit.model.contents import Contents
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.recipe_parts import Budget
from layerkit.model.stack import Stack
from tests.unit.audit.holding import MIB, holding, installed

LIMIT = 262_144_000


def sized(where: str, size: int) -> Contents:
    return holding(where=where, sizes={f"python/{where}.bin": size})


def found(*layers: Contents, function: Contents | None = None, budget: Budget = Budget()) -> list[Finding]:  # noqa: B008 -- frozen
    return list(stack_size_findings(Stack(layers=layers, function=function), budget))


def kinds(findings: list[Finding]) -> list[tuple[Code, Severity]]:
    return [(finding.code, finding.severity) for finding in findings if finding.code is not Code.SIZE_ZIPPED_DIRECT]


@pytest.mark.parametrize(
    ("size", "severity"),
    [
        (LIMIT * 8 // 10 - 1, None),
        (LIMIT * 8 // 10, Severity.WARNING),
        (LIMIT - 1, Severity.WARNING),
        (LIMIT, Severity.ERROR),
    ],
)
def test_the_limit_is_the_first_size_that_aws_refuses(size: int, severity: Severity | None) -> None:
    assert kinds(found(sized("a.zip", size))) == ([(Code.SIZE_UNZIPPED, severity)] if severity else [])


def test_function_and_layers_count_together_and_the_largest_are_named() -> None:
    layers = [sized("a.zip", 100 * MIB), sized("b.zip", 90 * MIB)]
    (finding,) = [each for each in found(*layers, function=sized("build", 60 * MIB)) if each.code is Code.SIZE_UNZIPPED]
    assert (finding.where, finding.severity) == ("stack", Severity.ERROR)
    assert "250.0 MiB unzipped, over Lambda's 250 MiB by 1 byte;" in finding.message
    assert finding.message.index("a.zip") < finding.message.index("b.zip") < finding.message.index("build")


def test_what_would_read_as_nothing_is_not_named_among_the_largest() -> None:
    (finding, *_) = found(sized("a.zip", LIMIT), sized("b.zip", 1000))
    assert "a.zip" in finding.message
    assert "b.zip" not in finding.message


def test_a_breached_budget_is_an_error_for_the_whole_stack() -> None:
    layers = [sized("a.zip", 3 * MIB), sized("b.zip", 3 * MIB)]
    assert kinds(found(*layers, budget=Budget(unzipped=6 * MIB, zipped=3 * MIB))) == []
    assert (
        kinds(found(*layers, budget=Budget(unzipped=6 * MIB - 1, zipped=3 * MIB - 1)))
        == [(Code.SIZE_BUDGET, Severity.ERROR)] * 2
    )


def test_more_than_five_layers_are_refused_in_awss_words() -> None:
    assert kinds(found(*(sized(f"{number}.zip", 1) for number in range(5)))) == []
    (finding,) = found(*(sized(f"{number}.zip", 1) for number in range(6)))
    assert finding.code is Code.STACK_TOO_MANY_LAYERS
    assert "`Cannot reference more than 5 layers.`" in finding.message


def test_two_versions_of_one_layer_are_refused() -> None:
    arn = "arn:aws:lambda:eu-west-1:111111111111:layer:demo:{}"
    one, other = (replace(sized(str(number), 1), arn=arn.format(number)) for number in (1, 2))
    assert kinds(found(one, other)) == [(Code.STACK_SAME_LAYER, Severity.ERROR)]
    named = [replace(sized(where, 1), name="demo", runtimes=("python3.12",)) for where in ("a", "b")]
    assert kinds(found(*named)) == [(Code.STACK_SAME_LAYER, Severity.ERROR)]
    assert kinds(found(named[0], replace(named[1], runtimes=("python3.13",)))) == []


def test_what_does_not_fit_into_a_request_is_a_note() -> None:
    (finding,) = found(replace(sized("a.zip", 1), zipped_bytes=52_428_801))
    assert (finding.code, finding.severity) == (Code.SIZE_ZIPPED_DIRECT, Severity.NOTE)
    assert found(replace(sized("a.zip", 1), zipped_bytes=52_428_800)) == []


def test_shares_add_up_exactly_whatever_they_are_shared_by() -> None:
    layer = holding(*installed("python", "one", "two"), sizes={"etc/x.bin": 7, "python/one/big.so": 1000})
    for shares in (by_distribution(layer), by_kind(layer), by_file(layer)):
        assert sum(share.unzipped_bytes for share in shares) == layer.unzipped_bytes
        assert sum(share.files for share in shares) == len(layer.files)
        assert list(shares) == sorted(shares, key=lambda share: -share.unzipped_bytes)
    names = {share.name: share.version for share in by_distribution(layer)}
    assert names == {"one": "1.0", "two": "1.0", NO_DISTRIBUTION: None}


def test_a_layer_that_is_too_large_alone_is_named_itself() -> None:
    big, small = sized("a.zip", LIMIT), sized("b.zip", MIB)
    alone, together = (each for each in found(big, small) if each.code is Code.SIZE_UNZIPPED)
    assert (alone.where, alone.severity) == ("a.zip", Severity.ERROR)
    assert alone.message.startswith(
        "alone 250.0 MiB unzipped, over Lambda's 250 MiB by 1 byte; largest: a.zip: python/"
    )
    assert (together.where, together.severity) == ("stack", Severity.ERROR)
    assert "by 1,048,577 bytes" in together.message
    assert [each.where for each in found(big) if each.code is Code.SIZE_UNZIPPED] == ["a.zip"]


def test_what_is_nobodys_is_named_by_its_package_or_folder_and_copies_count_together() -> None:
    sizes = {
        "python/lib/python3.12/site-packages/own/model.bin": 90 * MIB,
        "lib/libbig.so.1": 60 * MIB,
        "bin/tool": 10 * MIB,
        "top.bin": 5 * MIB,
    }
    demo = holding(*installed("python", "demo"), sizes={"python/demo/big.so": 50 * MIB}, where="b.zip")
    layers = holding(sizes=sizes, where="a.zip"), demo, replace(demo, where="c.zip", name="c")
    (finding,) = (each for each in found(*layers) if each.code is Code.SIZE_UNZIPPED)
    assert finding.message.partition("largest: ")[2] == (
        "demo 100.0 MiB, a.zip: python/lib/python3.12/site-packages/own 90.0 MiB, a.zip: lib/libbig.so.1 60.0 MiB,"
        " a.zip: bin/tool 10.0 MiB, a.zip: top.bin 5.0 MiB"
    )


def test_a_budget_for_zips_says_that_it_leaves_out_folders() -> None:
    folder = replace(sized("build", MIB), zipped_bytes=None)
    assert kinds(found(sized("a.zip", MIB), folder, budget=Budget(zipped=MIB))) == [
        (Code.SIZE_BUDGET, Severity.WARNING)
    ]
    assert kinds(found(folder, budget=Budget(unzipped=MIB))) == []


def test_the_same_content_twice_is_the_same_layer_unless_both_have_names() -> None:
    one = sized("a.zip", 1)
    other = replace(one, where="b.zip")
    (finding,) = found(one, other)
    assert (finding.code, finding.severity, finding.where) == (Code.STACK_SAME_LAYER, Severity.ERROR, "b.zip")
    assert "`Two different versions of the same layer are not allowed" in finding.message
    assert kinds(found(replace(one, name="one"), replace(other, name="other"))) == []
    assert len(found(one, replace(other, name="other"))) == 1
    arn = "arn:aws:lambda:eu-west-1:111111111111:layer:{}:1"
    assert found(replace(one, arn=arn.format("one")), replace(other, arn=arn.format("other"))) == []
    assert found(holding(where="a.zip"), holding(where="b.zip")) == []


def test_layers_of_awss_own_have_no_versions() -> None:
    arns = [f"arn:aws:lambda:::awslayer:{name}" for name in ("One", "Other")]
    assert found(*(replace(sized(arn, 1), arn=arn) for arn in arns)) == []


def test_what_is_published_needs_no_upload() -> None:
    published = replace(sized("a", 1), zipped_bytes=52_428_801, arn="arn:aws:lambda:eu-west-1:111111111111:layer:a:1")
    assert found(published) == []


def test_what_is_nobodys_can_be_listed() -> None:
    layer = holding(*installed("python", "one"), sizes={"etc/a": 7, "etc/b": 9})
    assert [file.path for file in without_distribution(layer)] == ["etc/b", "etc/a"]
