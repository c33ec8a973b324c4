"""Audits as text, Markdown and JSON."""

from dataclasses import replace

import pytest

from layerkit.audit.audit import Audit
from layerkit.audit.diff import compare
from layerkit.audit.judge import judge
from layerkit.audit.report.as_json import to_json
from layerkit.audit.report.difference import render_markdown as difference_markdown
from layerkit.audit.report.difference import render_text as difference_text
from layerkit.audit.report.markdown import render_markdown
from layerkit.audit.report.pen import Pen
from layerkit.audit.report.tables import By
from layerkit.audit.report.text import render_text
from layerkit.model.contents import Contents
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.recipe_parts import Budget
from layerkit.model.stack import Stack
from layerkit.model.target import parse_target
from tests.unit.audit.holding import MIB, holding, installed

PEN = Pen(meter=lambda used, limit: f"[{used * 100 // limit}]", label=lambda severity: f"<{severity}>")


def audit(*layers: Contents, function: Contents | None = None, budget: Budget = Budget()) -> Audit:  # noqa: B008 -- frozen
    title = "stack" if len(layers) > 1 or function else layers[0].where
    stack = Stack(layers=layers, function=function)
    return judge(stack, [parse_target("python3.12-x86_64")], title=title, budget=budget)


def text(audit: Audit, *, by: By = By.DISTRIBUTION, top: int = 12) -> list[str]:
    return list(render_text(audit, by=by, top=top, pen=PEN))


def demo(where: str = "a.zip") -> Contents:
    return holding(*installed("python", "demo"), sizes={"etc/big.bin": 3 * MIB}, where=where)


def test_a_layer_is_told_in_figures_then_by_distribution_then_what_was_found() -> None:
    lines = text(audit(demo(), budget=Budget(unzipped=MIB)))
    assert lines[0] == "a.zip for python3.12 on x86_64"
    assert lines[1] == "  unzipped  3.0 MiB of 250 MiB [1]"
    assert lines[4].split() == ["DISTRIBUTION", "UNZIPPED", "SHARE", "ZIPPED", "FILES"]
    assert lines[5].split()[:4] == ["(no", "distribution)", "3.0", "MiB"]
    assert any(line.startswith("<error> size.budget: a.zip: 3.0 MiB unzipped, over the budget") for line in lines)
    assert lines[-1] == "a.zip: 1 error"


def test_a_stack_lists_its_parts_in_order() -> None:
    lines = text(audit(demo("a.zip"), holding("etc/x", where="b.zip"), function=holding("app.py", where="build")))
    parts = [line.split()[:2] for line in lines if line.startswith("  ") and line.strip()[0] in "12f"]
    assert parts[:3] == [["1", "a.zip"], ["2", "b.zip"], ["function", "build"]]


def test_what_is_beyond_the_top_is_one_row_and_nothing_is_lost() -> None:
    lines = text(audit(holding(sizes={f"etc/{number}": MIB for number in range(9)})), by=By.FILE, top=4)
    assert [line.split()[0] for line in lines[5:9]] == ["etc/0", "etc/1", "etc/2", "etc/3"]
    assert lines[9].split()[:4] == ["5", "more", "5.0", "MiB"]


def test_a_long_path_keeps_both_ends() -> None:
    path = "python/" + "x" * 80 + "/end.json"
    lines = text(audit(holding(sizes={path: MIB})), by=By.FILE)
    assert lines[5].split()[0].startswith("python/xxx")
    assert lines[5].split()[0].endswith("x/end.json")


def test_markdown_stays_text_whatever_files_are_called() -> None:
    hostile = "python/<script>|`x`_y_[a](b)\n# head"
    finding = Finding(code=Code.LAYOUT_SECRET, severity=Severity.WARNING, where=hostile, message=hostile, hint="go")
    made = replace(audit(holding(sizes={hostile: MIB}, where=hostile)), findings=(finding,), title=hostile)
    lines = list(render_markdown(made, by=By.FILE, top=3))
    told = "\n".join(lines)
    assert "<script>" not in told
    assert all(line.count("|") - line.count("\\|") in {0, 4, 5, 6} for line in lines if line.startswith("|"))
    assert "\n# head" not in told


def test_json_has_exact_bytes_and_everything_that_was_found() -> None:
    one, other = demo("a.zip"), holding("etc/big.bin", where="b.zip")
    told = to_json([audit(one, other)], top=2)
    assert [layer["path"] for layer in told["layers"]] == ["a.zip", "b.zip"]
    assert told["layers"][0]["unzipped_bytes"] == one.unzipped_bytes
    assert sum(each["unzipped_bytes"] for each in told["layers"][0]["distributions"]) == one.unzipped_bytes
    assert told["stack"]["limit_bytes"] == 262_144_000
    assert told["stack"]["overwritten"] == [{"path": "etc/big.bin", "by": "b.zip", "of": "a.zip", "differs": True}]
    assert [finding["code"] for finding in told["findings"]] == ["stack.overwritten"]
    assert len(told["layers"][0]["largest_files"]) == 2


def test_several_audits_stand_one_by_one_in_json() -> None:
    told = to_json([audit(demo("a.zip")), audit(demo("b.zip"))], top=2)
    assert told["stack"] is None
    assert [stack["title"] for stack in told["stacks"]] == ["a.zip", "b.zip"]


def test_what_could_not_be_read_is_unknown_and_not_nothing() -> None:
    unread = replace(holding(where="secret.zip"), is_read=False, insides=None, zipped_bytes=5 * MIB)
    made = audit(demo("a.zip"), unread)
    assert text(made)[1].startswith("  unzipped  at least 3.0 MiB of 250 MiB")
    assert any(line.split() == ["2", "secret.zip", "unknown", "5.0", "MiB", "unknown"] for line in text(made))
    assert to_json([made], top=1)["layers"][1]["unzipped_bytes"] is None


HOSTILE = "python/\x1b[2J\u202egpj.py\nerror: fine"


@pytest.mark.parametrize("form", ["text", "markdown", "difference", "difference-markdown"])
def test_no_name_moves_the_cursor_or_hides_anything(form: str) -> None:
    """Control characters, of terminals and of right-to-left writing, are spelt."""
    finding = Finding(code=Code.LAYOUT_SECRET, severity=Severity.WARNING, where=HOSTILE, message=HOSTILE, hint=HOSTILE)
    held = holding(sizes={HOSTILE: MIB}, where=HOSTILE)
    made = replace(audit(held), findings=(finding,), title=HOSTILE)
    difference = compare(holding(where=HOSTILE), held)
    lines = {
        "text": lambda: text(made, by=By.FILE),
        "markdown": lambda: list(render_markdown(made, by=By.FILE, top=3)),
        "difference": lambda: difference_text(difference),
        "difference-markdown": lambda: difference_markdown(difference),
    }[form]()
    assert [line for line in lines if not line.isprintable()] == []
    assert any("x1b" in line for line in lines)


def test_parts_for_different_targets_are_not_said_to_tell_nothing() -> None:
    layers = [replace(demo(f"{name}.zip"), runtimes=(name,)) for name in ("python3.11", "python3.12")]
    made = replace(audit(*layers), targets=())
    assert text(made)[0] == (
        "stack: its parts are meant for different targets; `--runtime` has requirements and binaries checked, too"
    )
