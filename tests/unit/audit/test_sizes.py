"""Sizes against Lambda's limits, the stack and the budget."""

from collections.abc import Sequence

import pytest

from layerkit.audit.sizes import Sizes, size_findings
from layerkit.model.finding import Code, Finding, Severity, errors_in
from layerkit.model.recipe_parts import Budget

LIMIT = 262_144_000


def found(*, unzipped: int = 0, zipped: int = 0, beside: int = 0, budget: Budget = Budget()) -> Sequence[Finding]:  # noqa: B008 -- frozen
    largest = (("small", 1), ("big", 50 * 2**20), ("mid", 2**20), ("other", 2**20))
    sizes = Sizes(where="demo.zip", unzipped_bytes=unzipped, zipped_bytes=zipped, beside_bytes=beside, largest=largest)
    return size_findings(sizes, budget)


@pytest.mark.parametrize(
    ("unzipped", "beside", "fits"),
    [(LIMIT - 1, 0, True), (LIMIT, 0, False), (LIMIT - 11, 10, True), (LIMIT - 10, 10, False), (0, LIMIT, False)],
)
def test_a_stack_fits_up_to_one_byte_below_the_limit(unzipped: int, beside: int, fits: bool) -> None:
    assert (errors_in(tuple(found(unzipped=unzipped, beside=beside))) == ()) is fits


def test_a_layer_that_is_too_large_names_what_is_largest() -> None:
    (finding,) = found(unzipped=LIMIT)
    assert (finding.code, finding.severity, finding.where) == (Code.SIZE_UNZIPPED, Severity.ERROR, "demo.zip")
    assert "by 1 bytes; largest: big 50.0 MiB, mid 1.0 MiB, other 1.0 MiB" in finding.message


def test_what_lies_beside_the_layer_is_told() -> None:
    (finding,) = found(unzipped=LIMIT - 2**20, beside=2**20)
    assert finding.message.startswith("with the 1.0 MiB beside it")


@pytest.mark.parametrize(("size", "over"), [(1000, False), (1001, True)])
def test_a_budget_is_kept_up_to_its_last_byte(size: int, over: bool) -> None:
    for budget, sizes in ((Budget(unzipped=1000), {"unzipped": size}), (Budget(zipped=1000), {"zipped": size})):
        findings = found(budget=budget, **sizes)
        assert [(one.code, one.severity) for one in findings] == [(Code.SIZE_BUDGET, Severity.WARNING)] * over


@pytest.mark.parametrize(("zipped", "noted"), [(52_428_800, False), (52_428_801, True)])
def test_over_50_mib_zipped_is_a_note(zipped: int, noted: bool) -> None:
    assert [(one.code, one.severity) for one in found(zipped=zipped)] == [
        (Code.SIZE_ZIPPED_DIRECT, Severity.NOTE)
    ] * noted


def test_the_worst_comes_first() -> None:
    findings = found(unzipped=LIMIT, zipped=LIMIT, budget=Budget(unzipped=1))
    assert [one.severity for one in findings] == [Severity.ERROR, Severity.WARNING, Severity.NOTE]
