"""The report page in a real browser: opened, pointed at, clicked, searched, read by keyboard."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from selenium.webdriver.common.keys import Keys

from layerkit.audit.audit import Audit
from layerkit.audit.deployed_read import unread_layer
from layerkit.audit.judge import judge
from layerkit.audit.report.html import render_html
from layerkit.model.contents import Contents
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.limits import format_mib
from layerkit.model.recipe_parts import Budget
from layerkit.model.stack import Stack
from layerkit.model.target import parse_target
from tests.browser import Browser, ReportPage, chromium
from tests.unit.audit.holding import MIB, holding, installed

Open = Callable[..., ReportPage]
SITE: Final = "python/lib/python3.12/site-packages"
LIMIT: Final = 262_144_000
MARKUP: Final = "<img src=x onerror=\"document.title='stolen'\">"


def science(where: str = "dist/science.zip") -> Contents:
    """Return a layer as numpy and pandas make one."""
    return holding(
        *installed(SITE, "numpy", "pandas", python="312"),
        sizes={
            f"{SITE}/numpy/core.cpython-312-x86_64-linux-gnu.so": 60 * MIB,
            f"{SITE}/numpy/lib/linalg.so": 20 * MIB,
            f"{SITE}/numpy/lib/table.json": 4 * MIB,
            f"{SITE}/pandas/algos.so": 30 * MIB + 12_345,
            f"{SITE}/pandas/frame.py": MIB,
            "etc/model.bin": 9 * MIB,
        },
        where=where,
    )


def fixes(where: str = "dist/fixes.zip") -> Contents:
    """Return a layer that overwrites two files of the other one, one of them with other content."""
    return holding(
        f"{SITE}/pandas/__init__.py",
        sizes={f"{SITE}/pandas/frame.py": 2 * MIB, "etc/extra.json": MIB},
        where=where,
        owned=False,
    )


def audit(*layers: Contents, function: Contents | None = None, title: str | None = None) -> Audit:
    stack = Stack(layers=layers, function=function)
    name = title or (layers[0].where if len(stack.parts) == 1 else "stack")
    return judge(stack, [parse_target("python3.12-x86_64")], title=name, budget=Budget())


def found(*findings: Finding) -> Audit:
    return replace(audit(science()), findings=findings)


def finding(severity: Severity, code: Code = Code.LAYOUT_LEFTOVER, *paths: str) -> Finding:
    return Finding(code=code, severity=severity, where="dist/science.zip", message=f"a `{severity}`", paths=paths)


def large(files: int) -> Contents:
    """Return a layer of so many files in some hundred packages."""
    sizes = {
        f"{SITE}/package_{number % 120:03}/part_{number % 7}/module_{number:06}.py": 40 + (number * 7919) % 5000
        for number in range(files - 120 * 4)
    }
    names = [f"package_{number:03}" for number in range(120)]
    infos = [f"{SITE}/{name}-1.0.dist-info/{file}" for name in names for file in ("METADATA", "WHEEL", "RECORD", "X")]
    made = holding(*infos, sizes=sizes, owned=False, where="dist/large.zip")
    owned = (replace(file, owner=file.path.split("/")[4].partition("-")[0].replace("_", "-")) for file in made.files)
    return replace(made, files=tuple(owned))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Open:
    """Render audits and open the page."""

    def show(
        *audits: Audit, dark: bool = False, scripts: bool = True, width: int = 1400, ready: bool = True
    ) -> ReportPage:
        path = tmp_path / "report.html"
        path.write_text(render_html(audits), encoding="utf-8")
        page = browser.open(path, dark=dark, scripts=scripts, width=width)
        if ready and scripts:
            page.until(lambda: page.all("html.ready"))
        return page

    return show


class TestOpening:
    def test_nothing_is_asked_for_and_nothing_goes_wrong(self, show: Open) -> None:
        page = show(audit(science(), fixes()))
        page.click_on(page.tiles()["dist/science.zip"])
        page.click("#theme")
        assert page.complaints() == []
        assert page.requests() == []

    def test_the_browser_holds_the_page_to_its_policy(self, show: Open) -> None:
        """What a test for silence is worth: a request that the page does try is refused, and seen."""
        page = show(audit(science()))
        page.run("new Image().src = 'https://example.invalid/pixel.png'")
        page.until(lambda: any("Content Security Policy" in entry["message"] for entry in page.complaints()))

    def test_the_figures_on_top_are_the_exact_sums(self, show: Open) -> None:
        stack = Stack(layers=(science(), fixes()))
        page = show(audit(science(), fixes()))
        zipped = sum(part.zipped_bytes or 0 for part in stack.parts)
        files = sum(len(part.files) for part in stack.parts)
        assert page.texts("#figures dd") == [format_mib(stack.unzipped_bytes), format_mib(zipped), str(files), "2"]
        assert page.find("#figures div").get_attribute("title") == f"{stack.unzipped_bytes:,} bytes"
        assert page.text("h1") == "stack"
        assert page.text("#targets") == "python3.12 on x86_64"

    @pytest.mark.parametrize("size", [262_144, 786_432, 1_310_720, 52_429, 104_857_600])
    def test_mib_are_rounded_as_on_the_command_line(self, show: Open, size: int) -> None:
        assert page_size(show(audit(holding(sizes={"etc/x": size})))) == format_mib(size)

    @pytest.mark.parametrize(
        ("size", "state", "verdict"),
        [
            (100 * MIB, "ok", "40% of Lambda’s 250 MiB, 150.0 MiB left"),  # noqa: RUF001
            (200 * MIB, "close", "80% of Lambda’s 250 MiB, 50.0 MiB left"),  # noqa: RUF001
            (LIMIT - 1, "close", "100% of Lambda’s 250 MiB, 0.0 MiB left"),  # noqa: RUF001
            (LIMIT, "over", "1 byte over Lambda’s 250 MiB"),  # noqa: RUF001
        ],
    )
    def test_the_meter_tells_ok_close_and_over(self, show: Open, size: int, state: str, verdict: str) -> None:
        page = show(audit(holding(sizes={"etc/x": size})))
        assert page.text("#verdict") == verdict
        assert page.find("#meter").get_attribute("class") == f"meter is-{state}"

    def test_a_layer_without_files_opens(self, show: Open) -> None:
        page = show(audit(holding()))
        assert page.text("#map-empty") == "Nothing here takes any room"
        assert page.complaints() == []

    def test_of_nothing_the_page_says_so(self, show: Open) -> None:
        page = show()
        assert page.text("body") == "nothing was audited"
        assert page.complaints() == []

    def test_without_scripts_the_audit_is_there_as_text(self, show: Open) -> None:
        page = show(audit(science()), scripts=False)
        assert f"unzipped  {format_mib(science().unzipped_bytes)} of 250 MiB" in page.text("body")
        assert not page.find("#app").is_displayed()

    @pytest.mark.parametrize("width", [360, 768, 3840])
    def test_no_width_makes_the_page_wider_than_the_window(self, show: Open, width: int) -> None:
        page = show(audit(science(), fixes(), function=holding("app.py", where="build")), width=width)
        assert page.run("return document.documentElement.scrollWidth") <= width
        assert page.map.size["width"] > min(width, 2400) * 0.5

    @pytest.mark.parametrize("size", [256, 300, 350, 600])
    def test_on_a_phone_the_mark_of_the_limit_stays_in_the_window(self, show: Open, size: int) -> None:
        page = show(audit(holding(sizes={"etc/x": size * MIB})), width=360)
        assert page.run("return document.documentElement.scrollWidth") <= 360

    def test_it_can_be_printed(self, show: Open, browser: Browser) -> None:
        show(audit(science(), fixes()), dark=True)
        assert len(browser.tell("Page.printToPDF", printBackground=True)["data"]) > 20_000


def page_size(page: ReportPage) -> str:
    return page.text("#figures dd")


class TestMap:
    def test_distributions_have_tiles_as_large_as_they_are(self, show: Open) -> None:
        page = show(audit(science()))
        tiles = page.tiles()
        assert list(tiles) == ["numpy 1.0", "pandas 1.0", "(no distribution)"]
        areas = [tile.size["width"] * tile.size["height"] for tile in tiles.values()]
        whole = sum(areas)
        for area, share in zip(areas, (84 / 124, 31 / 124, 9 / 124), strict=True):
            assert area / whole == pytest.approx(share, rel=0.05)

    def test_files_are_drawn_in_the_colour_of_their_kind(self, show: Open) -> None:
        page = show(audit(science()))
        page.click_on(page.tiles()["numpy 1.0"])
        legend = {name.split("\n")[0]: place for place, name in enumerate(page.texts(".legend-item"))}
        native = page.find(f".legend li:nth-child({legend['native'] + 1}) .swatch").value_of_css_property(
            "background-color"
        )
        assert native == f"rgba({', '.join(map(str, page.colour(page.tiles()['numpy/'])[:3]))}, 1)"

    def test_a_click_zooms_and_escape_zooms_out(self, show: Open) -> None:
        page = show(audit(science()))
        page.click_on(page.tiles()["numpy 1.0"])
        assert page.path == ["dist/science.zip", "numpy 1.0"]
        assert "lib/" not in page.tiles()
        page.press(Keys.ESCAPE)
        assert page.path == ["dist/science.zip"]
        assert next(iter(page.tiles())) == "numpy 1.0"

    def test_the_path_leads_back_up(self, show: Open) -> None:
        page = show(audit(science(), fixes()))
        page.click_on(page.tiles()["dist/science.zip"])
        page.click("#list .list-item")
        assert page.path == ["stack", "dist/science.zip", "numpy 1.0"]
        page.click("#path li:first-child button")
        assert page.path == ["stack"]
        assert list(page.tiles()) == ["dist/science.zip", "dist/fixes.zip"]

    def test_the_pointer_brings_up_the_figures_of_what_it_is_on(self, show: Open) -> None:
        layer = science()
        page = show(audit(layer, fixes()))
        page.search("algos.so")
        page.click("#list .list-item")
        page.point_at(page.tiles()["algos.so"])
        (file,) = [file for file in layer.files if file.path.endswith("algos.so")]
        tip = page.tip()
        assert tip[""] == "algos.so"
        assert page.text("#tip .tip-path") == file.path
        assert tip["unzipped"] == f"{format_mib(file.unzipped_bytes)} · {file.unzipped_bytes:,} bytes"
        assert tip["zipped"] == f"{format_mib(file.zipped_bytes)} · {file.zipped_bytes:,} bytes"
        assert tip["of its layer"] == f"{file.unzipped_bytes / layer.unzipped_bytes:.0%}"
        assert tip["of 250 MiB"] == f"{file.unzipped_bytes / LIMIT:.0%}"
        assert (tip["kind"], tip["belongs to"], tip["part"]) == ("native", "pandas 1.0", "dist/science.zip")
        assert tip["overwritten"] == "no"

    def test_it_tells_what_a_later_layer_overwrites(self, show: Open) -> None:
        page = show(audit(science(), fixes()))
        page.search("pandas/frame.py")
        page.click("#list .listing-row:last-child .list-item")
        page.point_at(page.tiles()["frame.py"])
        assert page.tip()["overwritten"] == "by dist/fixes.zip, other content"
        assert page.find("#legend-overwritten").is_displayed()

    def test_the_pointer_gone_the_tip_goes(self, show: Open) -> None:
        page = show(audit(science()))
        page.point_at(page.tiles()["numpy 1.0"])
        assert page.find("#tip").is_displayed()
        page.point_at(page.find("#search"))
        page.until(lambda: not page.find("#tip").is_displayed())

    def test_sizes_can_be_those_of_the_zip(self, show: Open) -> None:
        layer = science()
        squeezed = (
            replace(file, zipped_bytes=10 if "numpy" in file.path else file.zipped_bytes) for file in layer.files
        )
        page = show(audit(replace(layer, files=tuple(squeezed))))
        page.click("[data-metric=zipped]")
        assert list(page.tiles()) == ["pandas 1.0", "(no distribution)", "numpy 1.0"]
        page.click("[data-metric=unzipped]")
        assert next(iter(page.tiles())) == "numpy 1.0"

    def test_a_folder_has_no_zipped_sizes_to_choose(self, show: Open) -> None:
        page = show(audit(replace(science(), zipped_bytes=None)))
        assert not page.find("[data-metric=zipped]").is_enabled()

    def test_colours_can_be_those_of_distributions(self, show: Open) -> None:
        page = show(audit(science()))
        kinds = page.texts(".legend-name")
        before = page.colour(page.tiles()["numpy 1.0"])
        page.click("[data-colour=owner]")
        assert (kinds[0], page.texts(".legend-name")) == ("native", ["numpy", "pandas", "all others"])
        assert page.colour(page.tiles()["numpy 1.0"]) != before

    def test_the_list_beside_it_has_the_same_items_and_zooms_too(self, show: Open) -> None:
        page = show(audit(science()))
        assert page.listed == ["numpy 1.0", "pandas 1.0", "(no distribution)"]
        assert page.text("#list-sum") == f"3 items, {format_mib(science().unzipped_bytes)}"
        page.click("#list .list-item")
        assert page.path == ["dist/science.zip", "numpy 1.0"]


class TestKeyboard:
    def test_arrows_move_enter_zooms_escape_and_backspace_zoom_out(self, show: Open) -> None:
        page = show(audit(science()))
        page.focus_map()
        assert page.focused == "numpy 1.0"
        page.press(Keys.ARROW_RIGHT)
        assert page.focused == "pandas 1.0"
        page.press(Keys.ENTER)
        assert page.path[-1] == "pandas 1.0"
        inside = page.focused
        assert inside in page.tiles()
        page.press(Keys.BACKSPACE)
        assert (page.path, page.focused) == (["dist/science.zip"], "pandas 1.0")
        page.press(Keys.ENTER, Keys.ESCAPE)
        assert page.path == ["dist/science.zip"]

    def test_every_sibling_can_be_reached(self, show: Open) -> None:
        page = show(audit(science()))
        page.focus_map()
        page.press(Keys.END)
        assert page.focused == list(page.tiles())[-1]
        page.press(Keys.HOME)
        assert page.focused == next(iter(page.tiles()))

    def test_what_has_the_focus_is_told_in_figures(self, show: Open) -> None:
        page = show(audit(science()))
        page.focus_map()
        label = page.tiles()["numpy 1.0"].get_attribute("aria-label")
        assert label == "numpy 1.0: 84.0 MiB unzipped, 42.0 MiB zipped, 34% of 250 MiB, 12 files"
        assert page.tip()["unzipped"].startswith("84.0 MiB")

    def test_what_has_the_focus_can_be_seen(self, show: Open) -> None:
        page = show(audit(science()))
        drawn = """
            const overlay = document.getElementById("map-overlay");
            return overlay.getContext("2d").getImageData(0, 0, overlay.width, overlay.height).data.some(Boolean);
        """
        assert not page.run(drawn)
        page.focus_map()
        assert page.run(drawn)

    def test_what_is_too_small_to_be_drawn_is_told_in_figures_too(self, show: Open) -> None:
        page = show(audit(holding("etc/small", sizes={"etc/large": 200 * MIB, "etc/none": 0})))
        page.run("document.querySelector('#list button').click()")
        page.focus_map()
        page.press(Keys.END)
        assert page.tip()["unzipped"] == "0 B · 0 bytes"

    def test_the_slash_goes_to_the_search(self, show: Open) -> None:
        page = show(audit(science()))
        page.press("/", "t", "a", "b")
        page.until(lambda: page.text("#list-sum").startswith("1 file found"))

    def test_arrows_walk_through_the_list(self, show: Open) -> None:
        page = show(audit(science()))
        page.run("document.querySelector('#list button').focus()")
        page.press(Keys.ARROW_DOWN, Keys.ENTER)
        assert page.path[-1] == "pandas 1.0"
        assert page.run("return document.activeElement.className") == "list-item"

    def test_all_that_can_be_pressed_has_a_name(self, show: Open) -> None:
        page = show(audit(science(), fixes()), audit(science()))
        script = """
            return [...document.querySelectorAll("button, input, select, [tabindex='0']")]
              .filter((each) => each.checkVisibility() && !(each.ariaLabel || each.textContent.trim()
                || each.labels?.[0]?.textContent.trim() || each.getAttribute("aria-labelledby")))
              .map((each) => each.outerHTML)
        """
        assert page.run(script) == []


class TestSearch:
    def test_it_narrows_the_list_and_darkens_the_rest_of_the_map(self, show: Open) -> None:
        page = show(audit(science()))
        page.click_on(page.tiles()["pandas 1.0"])
        before = page.colour(page.tiles()["pandas/"])
        page.search("linalg")
        assert page.listed == ["linalg.so"]
        assert page.text("#list-sum") == "1 file found, 20.0 MiB"
        assert page.colour(page.tiles()["pandas/"]) != before

    def test_it_looks_at_paths_and_at_distributions_whatever_the_case(self, show: Open) -> None:
        page = show(audit(science()))
        page.search("PANDAS 1.0")
        assert set(page.listed) >= {"algos.so", "frame.py", "METADATA"}
        assert "core.cpython-312-x86_64-linux-gnu.so" not in page.listed

    def test_escape_brings_everything_back(self, show: Open) -> None:
        page = show(audit(science()))
        page.search("linalg")
        page.press(Keys.ESCAPE)
        page.until(lambda: page.listed == ["numpy 1.0", "pandas 1.0", "(no distribution)"])

    def test_what_was_found_is_shown_where_it_lies(self, show: Open) -> None:
        page = show(audit(science()))
        page.search("linalg")
        page.click("#list .list-item")
        assert page.path == ["dist/science.zip", "numpy 1.0", "numpy/", "lib/"]
        assert page.focused == "linalg.so"

    def test_the_legend_picks_a_kind(self, show: Open) -> None:
        page = show(audit(science()))
        page.click(".legend li:nth-child(2) button")
        assert page.text("#list-sum") == "4 files found, 13.0 MiB"
        page.click(".legend li:nth-child(2) button")
        assert page.text("#list-sum").startswith("3 items")


class TestShares:
    def columns(self, page: ReportPage) -> list[str]:
        return page.texts("#shares-head th")

    def rows(self, page: ReportPage) -> list[list[str]]:
        return [
            [cell.text for cell in row.find_elements("css selector", "th, td")] for row in page.all("#shares-body tr")
        ]

    def test_the_table_has_the_figures_of_every_distribution(self, show: Open) -> None:
        page = show(audit(science()))
        assert self.columns(page) == ["Name", "Version", "Unzipped", "Share", "Zipped", "Files"]
        assert self.rows(page) == [
            ["numpy", "1.0", "84.0 MiB", "68%", "42.0 MiB", "12"],
            ["pandas", "1.0", "31.0 MiB", "25%", "15.5 MiB", "11"],
            ["(no distribution)", "–", "9.0 MiB", "7.3%", "4.5 MiB", "1"],  # noqa: RUF001
        ]

    def test_in_a_stack_a_share_is_that_of_a_part_and_the_heading_says_so(self, show: Open) -> None:
        page = show(audit(science(), fixes()))
        assert self.columns(page) == ["Name", "Version", "Unzipped", "Of its part", "Zipped", "Files", "Part"]
        page.click("[data-by=kind]")
        assert self.columns(page) == ["Name", "Unzipped", "Share", "Zipped", "Files"]

    def test_it_can_be_sorted_by_any_column(self, show: Open) -> None:
        page = show(audit(science()))
        page.click("[data-column=name] button")
        assert [row[0] for row in self.rows(page)] == ["(no distribution)", "numpy", "pandas"]
        assert page.find("[data-column=name]").get_attribute("aria-sort") == "ascending"
        page.click("[data-column=name] button")
        assert [row[0] for row in self.rows(page)] == ["pandas", "numpy", "(no distribution)"]

    def test_it_can_be_about_kinds_or_files(self, show: Open) -> None:
        page = show(audit(science()))
        page.click("[data-by=kind]")
        assert [row[0] for row in self.rows(page)][:2] == ["native", "data"]
        page.click("[data-by=file]")
        assert self.rows(page)[0][0] == f"{SITE}/numpy/core.cpython-312-x86_64-linux-gnu.so"

    def test_a_name_in_it_leads_to_the_map(self, show: Open) -> None:
        page = show(audit(science()))
        page.click("#shares-body tr:nth-child(2) button")
        assert page.path == ["dist/science.zip", "pandas 1.0"]


class TestStack:
    def test_parts_are_listed_as_they_win(self, show: Open) -> None:
        page = show(audit(science(), fixes(), function=holding("app.py", where="build")))
        assert page.texts(".stack-name > :first-child") == ["build", "dist/fixes.zip", "dist/science.zip", "python3.12"]
        assert page.texts(".stack-number") == ["ƒ", "2", "1", "λ"]

    def test_the_bar_is_shared_out_as_the_sizes_are(self, show: Open) -> None:
        page = show(audit(science(), fixes()))
        whole = page.find("#stack-bar").size["width"]
        widths = [piece.size["width"] / whole for piece in page.all(".stack-piece")]
        assert widths == pytest.approx([part.unzipped_bytes / LIMIT for part in (science(), fixes())], abs=0.01)

    def test_what_is_overwritten_is_listed_with_winner_and_loser(self, show: Open) -> None:
        page = show(audit(science(), fixes()))
        assert page.text("#overwritten-count") == "2, 1 with other content"
        assert [text.split("\n") for text in page.texts(".overwritten-item")] == [
            [f"{SITE}/pandas/", "frame.py", "dist/fixes.zip over dist/science.zip (pandas 1.0)", "other content"],
            [f"{SITE}/pandas/", "__init__.py", "dist/fixes.zip over dist/science.zip (pandas 1.0)", "same content"],
        ]

    def test_it_can_be_filtered(self, show: Open) -> None:
        page = show(audit(science(), fixes()))
        page.find("#overwritten-filter").send_keys("__INIT__")
        page.until(lambda: page.text("#overwritten-shown") == "1 shown")
        page.find("#overwritten-filter").clear()
        page.find("#overwritten-filter").send_keys("a")
        page.until(lambda: page.text("#overwritten-shown") == "2 shown")
        page.click("#overwritten-differs")
        assert page.text("#overwritten-shown") == "1 shown"

    def test_a_single_layer_overwrites_nothing(self, show: Open) -> None:
        assert not show(audit(science())).find("#overwritten").is_displayed()


class TestUnread:
    """A deployed layer that nobody may read is unknown, not empty."""

    lost = unread_layer("arn:aws:lambda:eu-west-1:123456789012:layer:lost:3", 20 * MIB)

    def test_what_is_left_is_not_told(self, show: Open) -> None:
        page = show(audit(science(), self.lost))
        assert page.text("#verdict") == "at least 50% of Lambda’s 250 MiB; 1 part could not be read"  # noqa: RUF001
        assert page.text("#figures dt") == "unzipped, at least"

    def test_its_size_is_unknown_everywhere(self, show: Open) -> None:
        page = show(audit(science(), self.lost))
        figures = [text.replace("\n", " ") for text in page.texts(".stack-part:first-child .stack-figure")]
        assert figures == ["unknown unzipped", "20.0 MiB zipped", "unknown files", "unknown of 250 MiB"]
        assert page.texts("#list .listing-row:last-child .figure")[0] == "unknown"
        page.focus_map()
        page.press(Keys.END)
        assert page.tip() == {"": self.lost.where, "unzipped": "unknown", "zipped": "20.0 MiB"}
        label = page.tiles()
        assert f"{self.lost.where}: unknown, 20.0 MiB zipped".startswith(next(reversed(label)))

    def test_alone_it_is_not_called_empty(self, show: Open) -> None:
        assert show(audit(self.lost)).text("#map-empty") == "What this holds could not be read"


class TestFindings:
    three = (
        finding(Severity.ERROR, Code.ELF_GLIBC, f"{SITE}/numpy/lib/linalg.so", "gone.so"),
        finding(Severity.WARNING, Code.LAYOUT_UNREACHABLE),
        finding(Severity.NOTE, Code.SIZE_ZIPPED_DIRECT),
    )

    def test_they_are_grouped_by_severity(self, show: Open) -> None:
        page = show(found(*self.three))
        assert page.texts(".findings-group h3") == ["1 error", "1 warning", "1 note"]
        assert page.texts(".finding-code") == ["elf.glibc", "layout.unreachable", "size.zipped-direct"]
        assert page.texts(".finding-message code") == ["error", "warning", "note"]

    def test_a_severity_can_be_left_out(self, show: Open) -> None:
        page = show(found(*self.three))
        page.click("#filter-warning")
        assert page.texts(".finding-code") == ["elf.glibc", "size.zipped-direct"]
        assert page.find("#filter-warning").get_attribute("aria-pressed") == "false"
        page.click("#filter-warning")
        assert len(page.all(".finding")) == 3

    def test_its_paths_unfold_and_lead_to_the_map(self, show: Open) -> None:
        page = show(found(*self.three))
        page.click(".finding summary")
        page.until(lambda: page.all(".finding-paths .path-parts"))
        assert [text.replace("\n", "") for text in page.texts(".finding-paths .path-parts")] == [
            f"{SITE}/numpy/lib/linalg.so",
            "gone.so",
        ]
        page.click(".finding-paths button")
        assert (page.path[-1], page.focused) == ("lib/", "linalg.so")

    def test_of_none_the_page_says_so(self, show: Open) -> None:
        page = show(found())
        assert page.text("#findings-none") == "Nothing to report"
        assert page.text("#badges") == "nothing to report"


class TestSeveralAudits:
    def test_one_can_be_chosen_from_the_list_or_the_table(self, show: Open) -> None:
        page = show(audit(science()), audit(fixes()), audit(science(), fixes(), title="orders"))
        assert page.text("h1") == "dist/science.zip"
        assert [row.split()[0] for row in page.texts("#audits-body tr")] == [
            "dist/science.zip",
            "dist/fixes.zip",
            "orders",
        ]
        page.find("#audit-select").send_keys("orders")
        page.until(lambda: page.text("h1") == "orders")
        assert list(page.tiles()) == ["dist/science.zip", "dist/fixes.zip"]
        page.click("[data-audit='1'] button")
        assert (page.text("h1"), page_size(page)) == ("dist/fixes.zip", format_mib(fixes().unzipped_bytes))

    def test_of_one_there_is_nothing_to_choose(self, show: Open) -> None:
        page = show(audit(science()))
        assert not page.find("#audit-pick").is_displayed()
        assert not page.find("#audits").is_displayed()


class TestTheme:
    def ground(self, page: ReportPage) -> tuple[str, Sequence[int]]:
        """Return the page's own colour, and one of the map."""
        return page.find("body").value_of_css_property("background-color"), page.colour(page.tiles()["numpy 1.0"])

    def test_dark_is_what_the_system_wants_or_the_button(self, show: Open) -> None:
        light, dark = self.ground(show(audit(science()))), self.ground(show(audit(science()), dark=True))
        assert light[0] != dark[0]
        assert light[1] != dark[1]
        page = show(audit(science()))
        page.click("#theme")
        assert self.ground(page) == dark
        page.click("#theme")
        assert self.ground(page) == light

    def test_what_was_chosen_holds_for_the_next_page(self, show: Open, browser: Browser) -> None:
        page = show(audit(science()))
        page.click("#theme")
        browser.chrome.refresh()
        page.until(lambda: page.all("html.ready"))
        assert page.find("html").get_attribute("data-theme") == "dark"


class TestHostile:
    @pytest.fixture
    def page(self, show: Open) -> ReportPage:
        names = [f"python/{MARKUP}/{MARKUP}.py", "python/</script><script>document.title='stolen'</script>.py"]
        layers = (holding(*names, "etc/\u202egpj.exe", where=MARKUP), holding(*names, where=f"b{MARKUP}"))
        said = Finding(
            code=Code.LAYOUT_SECRET,
            severity=Severity.ERROR,
            where=f"{MARKUP}: {names[0]}",
            message=MARKUP,
            hint=MARKUP,
            paths=tuple(names),
        )
        return show(replace(audit(*layers), findings=(said,), title=MARKUP))

    def test_names_are_shown_and_do_nothing(self, page: ReportPage) -> None:
        page.search("onerror")
        page.point_at(next(iter(page.tiles().values())))
        page.click(".finding summary")
        page.click("[data-by=file]")
        assert page.text("h1") == MARKUP
        assert page.text(".finding-message") == MARKUP
        assert page.all("img, iframe, object, embed, body script[src]") == []
        assert page.run("return document.title").startswith("<img src=x onerror=")
        assert (page.complaints(), page.requests()) == ([], [])

    def test_signs_that_turn_text_round_are_made_visible(self, page: ReportPage) -> None:
        page.search("gpj")
        assert page.listed == ["\ufffdgpj.exe"]


class TestManyFiles:
    def test_a_hundred_thousand_open_and_can_be_searched_and_clicked(self, show: Open) -> None:
        layer = large(100_000)
        page = show(audit(layer))
        assert page.texts("#figures dd")[2] == "100,000"
        first = next(iter(page.tiles()))
        page.click_on(page.tiles()[first])
        assert page.path == ["dist/large.zip", first]
        page.search("module_05000")
        assert page.text("#list-sum").startswith("10 files found")
        page.press(Keys.ESCAPE)
        page.click("[data-by=file]")
        assert page.text("#shares-more") == "Show 100 more of 99,900"
        took = page.run(
            "const start = performance.now();"
            "document.querySelector('[data-column=name] button').click(); return performance.now() - start"
        )
        assert took < 10_000  # milliseconds; made to compare paths anew each time, it takes nearly twice as long
        assert page.complaints() == []

    def test_a_hundred_thousand_in_one_folder_are_one_list_of_which_what_is_in_sight_exists(self, show: Open) -> None:
        page = show(audit(holding(*(f"etc/{number:06}" for number in range(100_000)))))
        page.click("#list .list-item")
        assert page.text("#list-sum").startswith("100,000 items")
        assert len(page.all("#list .list-item")) < 100
        page.run("document.getElementById('list').scrollTop = 1e9")
        page.until(lambda: "099999" in page.listed)

    def test_folders_may_be_as_deep_as_a_name_can_be_long(self, show: Open) -> None:
        page = show(audit(holding("a/" * 30_000 + "end", sizes={"etc/x": MIB})))
        page.search("a/end")
        page.click("#list .list-item")
        assert page.focused == "end"
        assert page.complaints() == []
