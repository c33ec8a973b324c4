"""Recipes proven by their examples: layers built, function invoked beside what it speaks to, answers compared."""

import contextlib
import json
import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.interpreters import find_python
from tests.workbench import call

pytestmark = [pytest.mark.interpreter, pytest.mark.network]

RECIPE = """
[layer]
name = "greeting"
[build]
universal = true
[[files]]
source = "shared.py"
target = "python/shared.py"
[example]
handler = "app.handler"
code = "example"
event = "example/event.json"
answer = "example/answer.json"
services = "example/services.py"
after = "example/after.json"
env = { GREETING = "hello" }
"""
FILES = {
    "recipe.toml": RECIPE,
    "shared.py": "import os\ndef greet(name): return f\"{os.environ['GREETING']} {name}\"\n",
    "example/app.py": """
import os, urllib.request
from shared import greet

def handler(event, context):
    urllib.request.urlopen(os.environ["URL"] + "/" + event["name"], timeout=2).read()
    return {"greeting": greet(event["name"])}
""",
    "example/event.json": '{"name": "you"}',
    "example/answer.json": '{"greeting": "hello you"}',
    "example/after.json": '["/you"]',
    "example/services.py": """
# /// script
# dependencies = []
# ///
import http.server, json, os, sys, threading

seen = []
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        seen.append(self.path)
        self.send_response(200)
        self.end_headers()
    def log_message(self, *args):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(json.dumps({"URL": f"http://127.0.0.1:{server.server_port}", "MARK": "x"}), flush=True)
sys.stdin.read()
print(json.dumps(seen), flush=True)
""",
}


@pytest.fixture
def recipe(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a recipe whose example speaks to a server."""
    if not find_python("3.12"):
        pytest.skip("needs Python 3.12")
    monkeypatch.delenv("PIP_CONFIG_FILE")  # where this machine's index is
    monkeypatch.setenv("LAYERKIT_CACHE_DIR", str(cache))
    monkeypatch.setenv("LAYERKIT_RUNTIME", "python3.12")
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        path = tmp_path / "greeting" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "greeting"


def processes_with(text: str) -> list[str]:
    """Return the command lines that hold a text."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            lines.append(path.read_bytes().decode(errors="replace"))
    return [line for line in lines if text in line]


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_an_example_that_answers_as_it_should(recipe: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert call("invoke", recipe) == 0
    said = capfd.readouterr()
    assert json.loads(said.out) == {"greeting": "hello you"}
    assert "REPORT RequestId" in said.err
    assert "ok     greeting" in said.err


def test_another_answer_is_told_and_fails(recipe: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (recipe / "example/answer.json").write_text('{"greeting": "hello me"}', encoding="utf-8")
    assert call("invoke", recipe) == 1
    assert '.greeting is "hello you", not "hello me"' in capfd.readouterr().err


def test_what_services_saw_counts_too(recipe: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (recipe / "example/after.json").write_text("[]", encoding="utf-8")
    assert call("invoke", recipe) == 1
    assert "services: the whole has 1 items, not 0" in capfd.readouterr().err


def test_a_function_that_raises_fails(recipe: Path, capfd: pytest.CaptureFixture[str]) -> None:
    change(recipe / "example/app.py", "def handler(event, context):", "def handler(event, context):\n    1 / 0")
    assert call("invoke", recipe) == 1
    assert json.loads(capfd.readouterr().out)["errorType"] == "ZeroDivisionError"


def test_another_event_is_only_answered(recipe: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert call("invoke", recipe, "--event", '{"name": "all"}', "--env", "GREETING=ciao") == 0
    assert json.loads(capfd.readouterr().out) == {"greeting": "ciao all"}


def test_many_are_told_in_a_line_each(recipe: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Also where one of them cannot even be built."""
    broken = recipe.with_name("broken")
    shutil.copytree(recipe, broken)
    (broken / "recipe.toml").write_text(RECIPE.replace("greeting", "broken"), encoding="utf-8")
    (broken / "shared.py").unlink()
    assert call("invoke", recipe.parent) == 2
    said = capfd.readouterr()
    assert [line.split()[:2] for line in said.out.splitlines()] == [["failed", "broken"], ["ok", "greeting"]]
    assert "shared.py" in said.err
    assert "REPORT" not in said.err


def test_as_json(recipe: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert call("invoke", recipe, "--json", "--repeat", "2") == 0
    (example,) = json.loads(capfd.readouterr().out)["examples"]
    assert example["recipe"] == "greeting"
    assert example["status"] == "holds"
    assert example["differences"] == []
    assert [each["init_ms"] is None for each in example["invocations"]] == [False, True]


def test_what_its_start_goes_to(recipe: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert call("invoke", recipe, "--profile-imports") == 0
    assert "the whole start" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("print('no json', flush=True)", "wrote `no json` where JSON was expected"),
        ("""print('{"A B": "x"}', flush=True)""", "told variables that Lambda would not take: `A B` is no name"),
        ("print('[1]', flush=True)", "did not begin with an object of environment variables"),
        ("raise SystemExit(3)", "ended before they told their variables"),
        ('import sys; print(\'{"URL": "x"}\', flush=True); sys.stdin.read()', "before they told what they have seen"),
    ],
)
def test_services_that_misbehave_are_named(
    recipe: Path, script: str, told: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (recipe / "example/services.py").write_text(script, encoding="utf-8")
    change(recipe / "example/app.py", "urllib.request.urlopen", "0 and urllib.request.urlopen")
    change(recipe / "example/app.py", ").read()", ")")
    assert call("invoke", recipe) == 5
    assert told in capfd.readouterr().err


def test_no_services_are_left_behind(recipe: Path) -> None:
    """Not even those that do not end when they should."""
    change(recipe / "example/services.py", "sys.stdin.read()", "threading.Event().wait()")
    change(recipe / "example/services.py", "import http", f"# {recipe}\nimport http")
    change(recipe / "recipe.toml", 'after = "example/after.json"\n', "")
    change(recipe / "example/app.py", "def handler(event, context):", "def handler(event, context):\n    1 / 0")
    call("invoke", recipe)
    assert processes_with(str(recipe)) == []


def test_services_that_leave_somebody_behind_are_not_waited_for(recipe: Path) -> None:
    """Who has a session of its own, and holds what they write to."""
    left = "subprocess.Popen(['sleep', '60'], start_new_session=True)"
    leave = f"import pathlib, subprocess\npathlib.Path('left').write_text(str({left}.pid))\nimport http"
    change(recipe / "example/services.py", "import http", leave)
    assert call("invoke", recipe) == 0
    os.kill(int((recipe / "example/left").read_text(encoding="utf-8")), signal.SIGKILL)


def test_nobody_whom_services_have_started_is_left(recipe: Path) -> None:
    mark = str(recipe / "recipe.toml")
    start = f"import subprocess\nsubprocess.Popen(['tail', '-f', {mark!r}], stdout=subprocess.DEVNULL)\nimport http"
    change(recipe / "example/services.py", "import http", start)
    assert call("invoke", recipe) == 0
    assert processes_with(mark) == []


def test_a_function_that_fails_with_an_event_of_ones_own_is_held_against_nothing(
    recipe: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert call("invoke", recipe, "--event", "{}") == 1
    said = capfd.readouterr()
    assert json.loads(said.out)["errorType"] == "KeyError"
    assert "does not answer as it should" not in said.err


def test_a_failing_function_has_nothing_to_write_down(recipe: Path, capfd: pytest.CaptureFixture[str]) -> None:
    change(recipe / "example/app.py", "def handler(event, context):", "def handler(event, context):\n    1 / 0")
    assert call("invoke", recipe) == 1
    assert "hint: mend the function\n" in capfd.readouterr().err


def test_a_folder_with_one_recipe_is_proven_under_every_runtime(
    recipe: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    if not find_python("3.13"):
        pytest.skip("needs Python 3.13")
    monkeypatch.delenv("LAYERKIT_RUNTIME")
    change(recipe / "recipe.toml", 'name = "greeting"', 'name = "greeting"\nruntimes = ["python3.12", "python3.13"]')
    assert call("invoke", recipe.parent) == 0
    assert [line.split()[2] for line in capfd.readouterr().out.splitlines()] == ["python3.13", "python3.12"]


def test_a_folder_whose_recipes_are_for_others_says_so(recipe: Path, capfd: pytest.CaptureFixture[str]) -> None:
    change(recipe / "recipe.toml", 'name = "greeting"', 'name = "greeting"\narchitectures = ["x86_64"]')
    assert call("invoke", recipe.parent, "--arch", "arm64") == 2
    assert "is not for arm64" in capfd.readouterr().err


def test_a_layer_for_another_runtime_is_refused(recipe: Path, capfd: pytest.CaptureFixture[str]) -> None:
    other = recipe.with_name("other")
    other.mkdir()
    files = '[[files]]\nsource = "recipe.toml"\ntarget = "x"\n'
    (other / "recipe.toml").write_text(f'[layer]\nname = "other"\nruntimes = ["provided.al2023"]\n{files}')
    change(recipe / "recipe.toml", "[example]", '[example]\nlayers = ["../other", "."]')
    assert call("invoke", recipe) == 2
    assert "is not for python3.12-x86_64" in capfd.readouterr().err
    assert call("invoke", recipe, "--force") == 0


def test_what_fails_is_explained_beside_json(recipe: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (recipe / "example/answer.json").unlink()
    assert call("invoke", recipe, "--json") == 2
    said = capfd.readouterr()
    assert json.loads(said.out)["examples"][0]["status"] == "failed"
    assert "`answer` in [example] is `example/answer.json`, which is not there" in said.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--retries", "0"], "`--retries` and a recipe do not go together"),
        (["--code", "src"], "`--code` and a recipe do not go together"),
        (["--async"], "`--async` and a recipe do not go together"),
        (["--runtime", "python3.8"], "is not for python3.8"),
        (["app.handler"], "no recipe at `app.handler`"),
        (["--event", "{"], "the event of `--event` is no JSON"),
    ],
)
def test_what_does_not_go_together(
    recipe: Path, arguments: list[str], told: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert call("invoke", recipe, *arguments) == 2
    assert told in capfd.readouterr().err


@pytest.mark.usefixtures("recipe")
def test_a_recipe_without_example(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "recipe.toml").write_text(RECIPE.partition("[example]")[0], encoding="utf-8")
    assert call("invoke", bare) == 2
    assert "has no example to invoke" in capfd.readouterr().err
    assert [path.name for path in bare.iterdir()] == ["recipe.toml"]
