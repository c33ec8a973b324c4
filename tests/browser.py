"""A real browser, Chromium without a window, and what a person does with the report page in it."""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

_ARGUMENTS: Final = (
    "--headless=new",
    "--no-sandbox",  # the tests may run as root
    "--disable-dev-shm-usage",
    "--force-prefers-reduced-motion",
    "--window-size=1400,1200",
)
_PATIENCE: Final = 60  # seconds; a busy machine is no failure
_COLOUR_AT_CENTRE: Final = """
const [canvas, box, map] = [document.getElementById("map-canvas"), arguments[0].getBoundingClientRect(), arguments[1]];
const { left, top } = map.getBoundingClientRect();
const scale = canvas.width / map.clientWidth;
const [x, y] = [(box.left + box.width / 2 - left) * scale, (box.top + box.height / 2 - top) * scale];
return Array.from(canvas.getContext("2d").getImageData(x, y, 1, 1).data);
"""


@contextmanager
def chromium() -> Iterator["Browser"]:
    """Start Chromium; skip where there is none."""
    program, driver = shutil.which("chromium") or shutil.which("chromium-browser"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("needs `chromium` and `chromedriver` (Debian: chromium, chromium-driver)")
    options = ChromeOptions()
    options.binary_location = program
    for argument in _ARGUMENTS:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = Chrome(options=options, service=Service(driver))
    chrome.set_page_load_timeout(_PATIENCE)
    try:
        yield Browser(chrome)
    finally:
        chrome.quit()


class Browser:
    """Opens report pages. Between two of them, nothing is kept but the browser's process."""

    def __init__(self, chrome: Chrome) -> None:
        self.chrome = chrome

    def open(self, path: Path, *, dark: bool = False, scripts: bool = True, width: int = 1400) -> "ReportPage":
        """Open a page from a file."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.tell("Emulation.setEmulatedMedia", features=[scheme])
        self.tell("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.tell("Emulation.setDeviceMetricsOverride", width=width, height=1200, deviceScaleFactor=1, mobile=False)
        self.tell("Storage.clearDataForOrigin", origin="file://", storageTypes="local_storage")
        self.chrome.get("about:blank")
        for log in ("browser", "performance"):
            _entries(self.chrome, log)  # what came before is nobody's business
        self.chrome.get(path.as_uri())
        return ReportPage(self.chrome, path.as_uri())

    def tell(self, method: str, **parameters: Any) -> Any:
        """Call a method of Chrome's DevTools protocol."""
        return self.chrome.execute_cdp_cmd(method, parameters)


class ReportPage:
    """What can be seen on an open page, and done with it."""

    def __init__(self, chrome: Chrome, address: str) -> None:
        self.chrome = chrome
        self.address = address

    def find(self, selector: str) -> WebElement:
        return self.chrome.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.chrome.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        return self.find(selector).text

    def texts(self, selector: str) -> list[str]:
        return list(self.run("return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText)", selector))

    def run(self, script: str, *arguments: Any) -> Any:
        return self.chrome.execute_script(script, *arguments)

    def until(self, condition: Callable[[], Any]) -> None:
        """Wait until something is so."""
        WebDriverWait(self.chrome, _PATIENCE).until(lambda _: condition())

    def press(self, *keys: str) -> None:
        """Press keys one after the other, on whatever has the focus."""
        for key in keys:
            ActionChains(self.chrome).send_keys(key).perform()

    def click(self, selector: str) -> None:
        element = self.find(selector)
        self.run("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def complaints(self) -> list[dict[str, Any]]:
        """Return what the browser complained about: errors of scripts, violations of the page's policy."""
        return _entries(self.chrome, "browser")

    def requests(self) -> list[str]:
        """Return the addresses that were asked for, but for the page's own and for data in the page."""
        events = [json.loads(entry["message"])["message"] for entry in _entries(self.chrome, "performance")]
        sent = [each["params"]["request"]["url"] for each in events if each["method"] == "Network.requestWillBeSent"]
        return [address for address in sent if address != self.address and not address.startswith("data:")]

    # --- the map

    @property
    def map(self) -> WebElement:
        return self.find("#map")

    @property
    def path(self) -> list[str]:
        """What is zoomed to, from the top down."""
        return self.texts("#path li")

    @property
    def listed(self) -> list[str]:
        """The names in the list beside the map."""
        return self.texts("#list .list-name")

    def tiles(self) -> dict[str, WebElement]:
        """Return the nodes right below the one that is zoomed to, by name."""
        found = self.run("return [...document.querySelectorAll('#map-items > *')].map((e) => [e.ariaLabel, e])")
        return {label.rpartition(": ")[0]: tile for label, tile in found}

    def colour(self, tile: WebElement) -> Sequence[int]:
        """Return what is drawn at the centre of a tile: red, green, blue, opacity."""
        return list(self.run(_COLOUR_AT_CENTRE, tile, self.map))

    def point_at(self, tile: WebElement) -> None:
        """Move the pointer to the centre of a tile."""
        self.run("arguments[0].scrollIntoView({block: 'center'})", self.map)
        ActionChains(self.chrome).move_to_element(tile).perform()

    def click_on(self, tile: WebElement) -> None:
        """Click at the centre of a tile."""
        self.point_at(tile)
        ActionChains(self.chrome).click().perform()

    def focus_map(self) -> None:
        """Go to the map as the keyboard does."""
        self.run("arguments[0].focus({focusVisible: true})", self.map)

    @property
    def focused(self) -> str:
        """The name of the tile that the keyboard is on."""
        active = self.map.get_attribute("aria-activedescendant")
        label = self.find(f"#{active}").get_attribute("aria-label") if active else None
        return (label or "").rpartition(": ")[0]

    def tip(self) -> dict[str, str]:
        """Return what the tip tells: its title under an empty name, then value by label."""
        labels, values = self.texts("#tip dt"), self.texts("#tip dd")
        return {"": self.text("#tip .tip-title"), **dict(zip(labels, values, strict=True))}

    def search(self, text: str) -> None:
        """Type into the search box and wait until it was looked for."""
        box = self.find("#search")
        box.send_keys(text)
        self.until(lambda: self.text("#list-title") == "Search")


def _entries(chrome: Chrome, log: str) -> list[dict[str, Any]]:
    """Take what a log has gathered since it was last read."""
    return list(chrome.get_log(log))  # type: ignore[no-untyped-call]
