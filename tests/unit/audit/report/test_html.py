"""The report page as text: whole, closed to the world, and exact. A browser opens it in `tests/integration`."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from itertools import accumulate
from typing import Any, Final

import pytest

from layerkit.audit.audit import Audit
from layerkit.audit.report.html import render_html
from layerkit.model.contents import Contents
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.stack import Stack
from layerkit.model.target import parse_target
from tests.unit.audit.holding import MIB, holding, installed

SITE: Final = "python/lib/python3.12/site-packages"
HOSTILE: Final = (
    "python/<img src=x onerror=alert(1)>.py",
    "python/</script><script>alert(1)</script>.py",
    "python/<!--<script>/x.py",
    "python/line\u2028and\u2029paragraph.py",
    "python/quote\"'&amp;.py",
    "python/$data ${script} \\u003c.py",
    "python/\x00\x1b[31m.py",
    "python//twice//slashed.py",
    "/absolute.py",
    "top",
)


def audit(*layers: Contents, function: Contents | None = None, findings: tuple[Finding, ...] = ()) -> Audit:
    return Audit(
        title=layers[0].where if len(layers) == 1 else "stack",
        stack=Stack(layers=layers, function=function),
        targets=(parse_target("python3.12-x86_64"),),
        findings=findings,
    )


def demo(where: str = "a.zip", **sizes: int) -> Contents:
    named = {f"{SITE}/demo/{name}.bin": size for name, size in sizes.items()}
    return holding(*installed(SITE, "demo", "other"), sizes=named, where=where)


def data_of(page: str) -> Any:
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


def paths_of(part: dict[str, Any], names: list[str]) -> Iterator[str]:
    """Yield the paths of a part's files in their order, put together again from its folders."""
    folders: list[str] = []
    files_of = iter(part["files"]["names"])
    flat = part["folders"]
    for parent, name, count in zip(flat[::3], flat[1::3], flat[2::3], strict=True):
        folders.append("" if parent < 0 else f"{folders[parent]}{names[name]}/")
        yield from (folders[-1] + names[next(files_of)] for _ in range(count))
    assert list(files_of) == []


def owners_of(part: dict[str, Any]) -> list[str | None]:
    runs = part["files"]["owners"]
    return [
        part["owners"][owner][0] if owner >= 0 else None
        for owner, times in zip(runs[::2], runs[1::2], strict=True)
        for _ in range(times)
    ]


class Tags(HTMLParser):
    """Notes every tag with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def page() -> str:
    """Return a page about a harmless layer."""
    return render_html([audit(demo(large=MIB))])


@pytest.fixture(scope="module")
def hostile_page() -> str:
    """Return a page in which everything that can be named is named as an attacker would."""
    layer = holding(*HOSTILE, where=HOSTILE[0])
    said = Finding(code=Code.LAYOUT_SECRET, severity=Severity.NOTE, where=HOSTILE[1], message=HOSTILE[1], hint="x")
    return render_html([replace(audit(layer, findings=(said,)), title=HOSTILE[1])])


class TestClosed:
    def test_nothing_on_the_page_leads_elsewhere(self, page: str) -> None:
        leads = [
            (tag, value)
            for tag, attributes in Tags(page).found
            for name, value in attributes.items()
            if name in {"src", "href", "action", "data", "poster", "srcset"} and value
            if not value.startswith(("#", "data:image/svg+xml;base64,"))
        ]
        assert leads == []

    def test_no_piece_of_the_page_names_an_address(self) -> None:
        pieces = {
            piece.name: piece.read_text("utf-8") for piece in files("layerkit.audit.report").joinpath("page").iterdir()
        }
        named = {(name, url) for name, text in pieces.items() for url in re.findall(r"https?://[^\s\"')]+", text)}
        assert named == {("words.js", "http://www.w3.org/2000/svg")}  # the name of SVG, which nobody fetches

    def test_the_style_asks_for_nothing(self) -> None:
        style = files("layerkit.audit.report").joinpath("page", "page.css").read_text("utf-8")
        assert re.findall(r"@import|@font-face|url\(", style) == []

    def test_the_policy_allows_the_page_s_own_scripts_and_style_and_nothing_else(self, page: str) -> None:
        (policy,) = [attributes["content"] for tag, attributes in Tags(page).found if "http-equiv" in attributes]
        scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
        styles = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
        assert (len(scripts), len(styles)) == (2, 1)
        digests = [
            f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in scripts + styles
        ]
        assert policy == (
            f"default-src 'none'; script-src {digests[0]} {digests[1]}; style-src {digests[2]}; img-src data:;"
            " base-uri 'none'; form-action 'none'"
        )

    def test_no_markup_that_the_policy_would_refuse(self, page: str) -> None:
        names = {name for _, attributes in Tags(page).found for name in attributes}
        assert {name for name in names if name == "style" or name.startswith("on")} == set()

    def test_every_script_of_the_folder_is_on_the_page(self, page: str) -> None:
        pieces = [
            each for each in files("layerkit.audit.report").joinpath("page").iterdir() if each.name.endswith(".js")
        ]
        assert [each.name for each in pieces if each.read_text("utf-8") not in page] == []

    def test_scripts_make_elements_of_text_only(self, page: str) -> None:
        script = "".join(re.findall(r"<script>(.*?)</script>", page, re.DOTALL))
        assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", script) == []


class TestHostile:
    def test_names_are_no_markup(self, hostile_page: str) -> None:
        plain = render_html([audit(demo())])
        assert [tag for tag, _ in Tags(hostile_page).found] == [tag for tag, _ in Tags(plain).found]

    def test_the_data_is_plain_ascii_without_an_opening_bracket(self, hostile_page: str) -> None:
        found = re.search(r'type="application/json">(.*?)</script>', hostile_page, re.DOTALL)
        assert found
        assert found[1].isascii()
        assert "<" not in found[1]

    def test_names_come_back_as_they_were(self, hostile_page: str) -> None:
        data = data_of(hostile_page)
        assert sorted(paths_of(data["parts"][0], data["names"])) == sorted(HOSTILE)
        assert data["parts"][0]["where"] == HOSTILE[0]

    def test_a_name_that_is_no_unicode_can_be_written_and_comes_back(self) -> None:
        (file,) = holding("x.py").files
        odd = replace(holding("x.py"), files=(replace(file, path="lone\udcff.py"),), where="lone\udcff.zip")
        page = render_html([audit(odd)]).encode("utf-8").decode("utf-8")
        assert list(paths_of(data_of(page)["parts"][0], data_of(page)["names"])) == ["lone\udcff.py"]


class TestExact:
    def test_each_file_comes_back_with_its_sizes_kind_and_owner(self) -> None:
        layer = demo(large=60 * MIB + 1, small=3, none=0)
        data = data_of(render_html([audit(layer)]))
        (part,) = data["parts"]
        columns = part["files"]
        kinds = [data["kinds"][int(digit)] for digit in columns["kinds"]]
        paths = list(paths_of(part, data["names"]))
        rows = zip(paths, columns["unzipped"], columns["zipped"], kinds, owners_of(part), strict=True)
        files_of = ((f.path, f.unzipped_bytes, f.zipped_bytes, f.kind.value, f.owner) for f in layer.files)
        assert sorted(rows, key=str) == sorted(files_of, key=str)

    def test_sums_are_what_aws_counts(self) -> None:
        layer = demo(large=60 * MIB + 1)
        data = data_of(render_html([audit(layer)]))
        (part,) = data["parts"]
        assert (part["unzipped"], part["zipped"]) == (layer.unzipped_bytes, layer.zipped_bytes)
        assert sum(part["files"]["unzipped"]) == layer.unzipped_bytes
        assert data["limit"] == 262_144_000

    def test_a_folder_has_no_zipped_sizes(self) -> None:
        (part,) = data_of(render_html([audit(replace(demo(), zipped_bytes=None))]))["parts"]
        assert (part["zipped"], part["files"]["zipped"]) == (None, None)

    def test_a_part_that_could_not_be_read_is_told_from_an_empty_one(self) -> None:
        lost, empty = replace(demo(), files=(), unzipped_bytes=0, is_read=False), holding()
        parts = data_of(render_html([audit(lost, empty)]))["parts"]
        assert [part["is_read"] for part in parts] == [False, True]

    def test_a_distribution_that_is_there_twice_has_both_versions(self) -> None:
        layer = holding(*installed("python", "demo"), *installed("python", "demo", version="2.0"))
        (part,) = data_of(render_html([audit(layer)]))["parts"]
        assert part["owners"] == [["demo", "1.0, 2.0"]]

    def test_a_layer_of_several_audits_is_there_once(self) -> None:
        shared, other = demo("a.zip"), demo("b.zip")
        data = data_of(render_html([audit(shared), audit(shared, other), audit(other, function=demo("code"))]))
        assert [part["where"] for part in data["parts"]] == ["a.zip", "b.zip", "code"]
        assert [(each["layers"], each["function"]) for each in data["audits"]] == [
            ([0], None),
            ([0, 1], None),
            ([1], 2),
        ]

    def test_a_deployed_layer_is_known_by_its_arn(self) -> None:
        arn = "arn:aws:lambda:eu-west-1:123456789012:layer:demo:3"
        one, again = replace(demo(), arn=arn), replace(demo(), arn=arn)
        assert len(data_of(render_html([audit(one), audit(again)]))["parts"]) == 1


class TestOverwritten:
    def test_each_pair_of_layers_tells_who_wins_who_loses_and_whether_content_differs(self) -> None:
        first = holding("etc/same", "etc/own", sizes={"etc/other": 5}, where="a.zip")
        last = holding("etc/same", sizes={"etc/other": 6}, where="b.zip")
        data = data_of(render_html([audit(first, last)]))
        (pair,) = data["audits"][0]["overwritten"]
        losers, winners = (list(paths_of(data["parts"][place], data["names"])) for place in (pair["of"], pair["by"]))
        assert (pair["by"], pair["of"]) == (1, 0)
        told = [
            (winners[wins], losers[loses], differs)
            for wins, loses, differs in zip(pair["wins"], pair["loses"], pair["differs"], strict=True)
        ]
        assert told == [("etc/same", "etc/same", "0"), ("etc/other", "etc/other", "1")]


class TestFindings:
    def paths(self, finding: Finding) -> tuple[Any, Any]:
        """Return the file and the paths of a finding about two layers, numbers turned back into layer and path."""
        one, other = holding("etc/x", "etc/y", where="a.zip"), holding("etc/x", "etc/z", where="b.zip")
        data = data_of(render_html([audit(one, other, findings=(finding,))]))
        (told,) = data["audits"][0]["findings"]
        every = [(part["where"], path) for part in data["parts"] for path in paths_of(part, data["names"])]
        back = [every[path] if isinstance(path, int) else path for path in told["paths"]]
        return every[told["file"]] if told["file"] is not None else None, back

    def finding(self, where: str, *paths: str) -> Finding:
        return Finding(code=Code.LAYOUT_LEFTOVER, severity=Severity.NOTE, where=where, message="m", paths=paths)

    @pytest.mark.parametrize(("where", "found"), [("a.zip", ("a.zip", "etc/x")), ("b.zip", ("b.zip", "etc/x"))])
    def test_a_path_is_that_of_the_layer_that_the_finding_is_about(self, where: str, found: tuple[str, str]) -> None:
        assert self.paths(self.finding(where, "etc/x")) == (None, [found])

    def test_a_path_of_another_layer_is_found_there(self) -> None:
        assert self.paths(self.finding("a.zip", "etc/z"))[1] == [("b.zip", "etc/z")]

    def test_a_path_that_no_layer_has_stays_text(self) -> None:
        assert self.paths(self.finding("stack", "../evil", "etc/y"))[1] == ["../evil", ("a.zip", "etc/y")]

    def test_a_finding_about_one_file_names_it(self) -> None:
        assert self.paths(self.finding("b.zip: etc/x"))[0] == ("b.zip", "etc/x")

    def test_everything_that_a_finding_says_is_there_in_the_audit_s_order(self) -> None:
        told = (
            Finding(code=Code.SIZE_UNZIPPED, severity=Severity.ERROR, where="stack", message="too large", hint="less"),
            self.finding("a.zip"),
        )
        findings = data_of(render_html([audit(demo(), findings=told)]))["audits"][0]["findings"]
        assert [(f["code"], f["severity"], f["where"], f["message"], f["hint"]) for f in findings] == [
            ("size.unzipped", "error", "stack", "too large", "less"),
            ("layout.leftover", "note", "a.zip", "m", None),
        ]


class TestText:
    def test_where_no_script_runs_the_audit_is_there_as_text(self) -> None:
        page = render_html([audit(demo(large=2 * MIB))])
        found = re.search(r'<pre id="plain">(.*?)</pre>', page, re.DOTALL)
        assert found
        assert "a.zip for python3.12 on x86_64" in found[1]
        assert "2.0 MiB of 250 MiB" in found[1]

    def test_of_nothing_the_page_says_so(self) -> None:
        page = render_html([])
        assert '<pre id="plain">nothing was audited' in page
        assert data_of(page)["audits"] == []

    def test_a_page_about_several_audits_says_how_many(self) -> None:
        assert "<title>2 audits · layerkit audit</title>" in render_html([audit(demo()), audit(demo("b.zip"))])


def test_files_of_a_hundred_thousand_take_little_room() -> None:
    folders = [f"{SITE}/package_{number:03}/part_{part}" for number in range(100) for part in range(10)]
    layer = holding(*(f"{folder}/module_{number:03}.py" for folder in folders for number in range(100)))
    assert len(layer.files) == 100_000
    assert len(render_html([audit(layer)])) < 3 * MIB


def test_a_path_as_deep_as_a_zip_allows_takes_no_more_room_than_its_name() -> None:
    deep = "a/" * 32_000 + "end"
    page = render_html([audit(holding(deep))])
    data = data_of(page)
    flat = data["parts"][0]["folders"]
    depth = list(accumulate(flat[::3], lambda _, parent: parent + 1, initial=0))[-1]
    assert depth == 32_000
    assert len(page) < 2 * MIB
