"""Recipes for the web, and three layers with a runtime of their own: their examples, and what these must show."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from tests.interpreters import find_python
from tests.workbench import call

pytestmark = [pytest.mark.interpreter, pytest.mark.network]

RECIPES: Final = Path(__file__).parents[2] / "recipes"
GREETING: Final = RECIPES / "three-layers/config/example"
RUNTIME, LIBRARY, CONFIG = (
    f"dist/{name}-provided.al2023-x86_64.zip" for name in ("bash-runtime", "json-sh", "house-config")
)
FUNCTION: Final = r"""
echoes() { cat; }
knows() { printf '["%s", "%s", "%s"]' "$REQUEST_ID" "$FUNCTION_ARN" "$((DEADLINE_MS / 1000 - $(date +%s)))"; }
stumbles() { false; echo '"went on"'; }
misspells() { echo "$GRETING"; }
exits() { exit 7; }
complains() { fail Shop.Closed $'a "quote", a \\, two\nlines\tand \x01'; }
complains_within() { local name; name=$(fail Shop.Closed "come back"); echo '"went on"'; }
overflows() { head -c 7000000 /dev/zero | tr '\0' 1; }
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder."""
    monkeypatch.delenv("PIP_CONFIG_FILE")  # where this machine's index is
    monkeypatch.setenv("LAYERKIT_CACHE_DIR", str(cache))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def layers(capfd: pytest.CaptureFixture[str]) -> None:
    """Build the three layers."""
    assert call("build", RECIPES / "three-layers", "--arch", "x86_64") == 0
    capfd.readouterr()


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("requests", "3.12"),
        ("requests", "3.13"),
        ("httpx", "3.12"),
        ("aiohttp", "3.13"),
        ("beautifulsoup4", "3.12"),
        ("lxml", "3.13"),
        ("jinja2", "3.12"),
        ("pyyaml", "3.13"),
    ],
)
def test_a_recipes_example_answers_as_it_should(name: str, version: str, capfd: pytest.CaptureFixture[str]) -> None:
    _need(version)
    assert call("invoke", RECIPES / name, "--runtime", f"python{version}") == 0, capfd.readouterr().err
    assert json.loads(capfd.readouterr().out) == json.loads((RECIPES / name / "example/answer.json").read_bytes())


@pytest.mark.parametrize(
    ("name", "change", "complaint"),
    [
        ("requests", ("status_forcelist=[429, 502, 503, 504]", "status_forcelist=[]"), "503"),
        ("requests", ("SESSION.post(", "requests.post("), "connections"),
        ("httpx", ("follow_redirects=True", "follow_redirects=False"), "308"),
        ("aiohttp", ("AT_ONCE = 3", "AT_ONCE = 1"), ".at_once is 1, not 3"),
        ("jinja2", ('select_autoescape(["html"])', "False"), "<script>"),
        ("pyyaml", ("Loader=yaml.CSafeLoader", "Loader=yaml.CUnsafeLoader"), "refused"),
    ],
)
def test_an_example_that_does_without_what_it_shows_fails(
    name: str, change: tuple[str, str], complaint: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    _need("3.12")
    recipe = shutil.copytree(RECIPES / name, folder / name)
    function = recipe / "example/lambda_function.py"
    text = function.read_text(encoding="utf-8")
    assert text.count(change[0]) == 1
    function.write_text(text.replace(*change), encoding="utf-8")
    assert call("invoke", recipe, "--runtime", "python3.12") == 1
    printed = capfd.readouterr()
    assert complaint in printed.out + printed.err


def test_three_layers_in_the_right_order_greet_as_the_config_says(capfd: pytest.CaptureFixture[str]) -> None:
    assert call("invoke", RECIPES / "three-layers") == 0
    printed = capfd.readouterr()
    assert json.loads(printed.out)["greetings"][0] == "Welcome, Ada!"
    assert "greeting Ada\n" in printed.err


@pytest.mark.usefixtures("layers")
@pytest.mark.parametrize(
    ("order", "greeting"),
    [((RUNTIME, LIBRARY, CONFIG), "Welcome, Ada!"), ((RUNTIME, CONFIG, LIBRARY), "Hello, Ada.")],
)
def test_the_later_of_two_layers_says_how_to_greet(
    order: Sequence[str], greeting: str, capfd: pytest.CaptureFixture[str]
) -> None:
    event = GREETING / "event.json"
    assert call("invoke", "greet.hello", "--code", GREETING, "--event", event, *_stacked(*order)) == 0
    assert json.loads(capfd.readouterr().out)["greetings"][0] == greeting


@pytest.mark.usefixtures("layers")
@pytest.mark.parametrize("order", [(RUNTIME, LIBRARY, CONFIG), (RUNTIME, CONFIG, LIBRARY)])
def test_audit_tells_which_layer_overwrites_which(order: Sequence[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert call("audit", *order) == 0
    assert call("audit", *order, "--fail-on", "warning") == 1
    capfd.readouterr()
    assert call("audit", *order, "--json") == 0
    [found] = json.loads(capfd.readouterr().out)["findings"]
    *_, loser, winner = order
    assert (found["code"], found["severity"]) == ("stack.overwritten", "warning")
    assert found["where"] == winner
    assert f"overwrites 1 file of {loser}, with other content: `etc/greeting.conf`" in found["message"]


@pytest.mark.usefixtures("layers")
def test_a_function_of_bash_is_handed_an_event_and_its_context(capfd: pytest.CaptureFixture[str]) -> None:
    event = {"text": 'é "quoted" \\ \n', "more": [1, None]}
    assert _bash("echoes", capfd, event=json.dumps(event)) == [event] * 3
    context = _bash("knows", capfd)
    assert len({each[0] for each in context}) == 3
    assert {each[1].rsplit(":", 2)[1] for each in context} == {"function"}
    assert {int(each[2]) for each in context} <= {2, 3}  # seconds


@pytest.mark.usefixtures("layers")
def test_a_proxy_of_the_functions_is_none_for_its_runtime(capfd: pytest.CaptureFixture[str]) -> None:
    assert _bash("echoes", capfd, "--env", "http_proxy=http://127.0.0.1:9", event="[1]") == [[1]] * 3


@pytest.mark.usefixtures("layers")
@pytest.mark.parametrize(
    ("function", "kind", "message"),
    [
        ("stumbles", "Runtime.ExitError", "app.stumbles ended with status 1"),
        ("misspells", "Runtime.ExitError", "app.misspells ended with status 1"),
        ("exits", "Runtime.ExitError", "app.exits ended with status 7"),
        ("complains", "Shop.Closed", 'a "quote", a \\, two\nlines\tand  '),
        ("complains_within", "Shop.Closed", "come back"),
        ("overflows", "Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed payload size"),
        ("nobody", "Runtime.HandlerNotFound", "`app.sh` has no function `nobody`"),
    ],
)
def test_a_function_of_bash_that_fails_says_so_every_time(
    function: str, kind: str, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    answers = _bash(function, capfd, fails=True)
    assert [each["errorType"] for each in answers] == [kind] * 3
    assert all(each["errorMessage"].startswith(message) for each in answers)


@pytest.mark.usefixtures("layers")
@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("exit 3", "Runtime.ExitError", "app.sh ended with status 3"),
        ("echo $MISSPELT", "Runtime.ExitError", "app.sh ended with status 1"),
        ("if then", "Runtime.ExitError", "app.sh returned status 2"),
        (None, "Runtime.HandlerNotFound", "`app.sh` is not in the function's code"),
    ],
)
def test_code_that_cannot_be_read_is_an_error_of_the_start(
    text: str | None, kind: str, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    answers = _bash("echoes", capfd, fails=True, code=text)
    assert [(each["errorType"], each["errorMessage"]) for each in answers] == [(kind, message)] * 3


def _need(version: str) -> None:
    if not find_python(version):
        pytest.skip(f"needs Python {version}")


def _stacked(*order: str) -> list[str]:
    return ["--runtime", "provided.al2023", *(word for path in order for word in ("--layer", path))]


def _bash(
    function: str,
    capfd: pytest.CaptureFixture[str],
    *options: str,
    event: str = "{}",
    fails: bool = False,
    code: str | None = FUNCTION,
) -> list[Any]:
    """Return what a function of bash answers, three times in one environment if it lasts."""
    Path("code").mkdir(exist_ok=True)
    if code is not None:
        Path("code/app.sh").write_text(code, encoding="utf-8")
    said = ["--code", "code", "--event", event, "--repeat", "3", "--json", *_stacked(RUNTIME), *options]
    assert call("invoke", f"app.{function}", *said) == int(fails)
    return [each["answer"] for each in json.loads(capfd.readouterr().out)["invocations"]]
