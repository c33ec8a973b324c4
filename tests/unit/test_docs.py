"""The documentation says what the program does: generated pages, keys of recipes, links and command lines."""

import importlib.util
import itertools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer

from layerkit.cli.main import app
from layerkit.model import recipe_example, recipe_files, recipe_sections
from layerkit.model.finding import Code
from layerkit.model.publishing import DEFAULT_LAYER_NAME, LAYER_FIELDS, PLACE_FIELDS
from layerkit.model.publishing_sections import read_publishing
from layerkit.model.recipe import Recipe
from layerkit.model.toml_section import Document, Section

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", *DOCS.rglob("*.md"), *ROOT.glob("recipes/*/README.md")])
FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
ELSEWHERE = ("http://", "https://", "mailto:")


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module", name="generate")
def load_generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_what_the_program_says_now(generate: ModuleType) -> None:
    """``make docs`` writes them."""
    assert [named(path) for path in generate.stale_pages()] == []


def test_generated_pages_do_not_depend_on_the_terminal_or_the_environment(
    generate: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = generate.pages()
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("LAYERKIT_OUT", "elsewhere")
    assert generate.pages() == before


def test_a_page_that_differs_is_found(generate: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in generate.pages().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "cli.md").write_text("old", encoding="utf-8")
    (tmp_path / "errors.md").unlink()
    monkeypatch.setattr(generate, "REFERENCE", tmp_path)
    assert [path.name for path in generate.stale_pages()] == ["cli.md", "errors.md"]


def test_every_option_and_finding_is_in_the_reference(generate: ModuleType) -> None:
    reference = (DOCS / "reference" / "cli.md").read_text(encoding="utf-8")
    assert Code.SIZE_UNZIPPED in generate.codes()
    findings = (DOCS / "reference" / "findings.md").read_text(encoding="utf-8")
    root: Any = typer.main.get_command(app)
    flags = {flag for command in root.commands.values() for param in command.params for flag in param.opts}
    assert [flag for flag in flags if flag.startswith("--") and flag != "--help" and f"`{flag}`" not in reference] == []
    assert [code for code in generate.codes() if f"`{code}`" not in findings] == []


@pytest.fixture(name="known_keys")
def keys_that_the_parsers_ask_for(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """Fill up, as sections are read, with the keys that are known in each."""
    known: dict[str, set[str]] = {}
    finish = Section.finish

    def noting(section: Section) -> None:
        known.setdefault(section.title, set()).update(section._known)  # noqa: SLF001 -- the parser's own list
        finish(section)

    monkeypatch.setattr(Section, "finish", noting)
    return known


def described_keys(page: Path) -> dict[str, set[str]]:
    """Return the keys that a reference page has in the table of each section."""
    described = {}
    for part in page.read_text(encoding="utf-8").split("\n## `")[1:]:
        title, _, body = part.partition("`")
        body = body.partition("\n## ")[0]
        rows = re.findall(r"^\| `([a-z-]+)` \|", body, re.MULTILINE)
        without_effect = re.search(r"no effect yet[^:]*:((?:\s*`[a-z-]+`,?)+)", body)
        described[title] = {*rows, *re.findall(r"`([a-z-]+)`", without_effect[1] if without_effect else "")}
    return described


def test_the_recipe_page_names_just_the_keys_that_the_parser_knows(known_keys: dict[str, set[str]]) -> None:
    document = Document('[example]\n[[files]]\nsource = "a"\ntarget = "b"', path=Path("recipe.toml"))
    for name in ("layer", "build", "prune", "budget", "index"):
        getattr(recipe_sections, f"read_{name}")(document)
    recipe_files.read_files(document)
    recipe_example.read_examples(document)
    assert described_keys(DOCS / "reference" / "recipe.md") == known_keys


CONFIGURATION = DOCS / "reference" / "configuration.md"


def test_the_configuration_page_names_just_the_keys_that_the_parser_knows(known_keys: dict[str, set[str]]) -> None:
    read_publishing('[[publish.accounts]]\nname = "one"', path=Path("layerkit.toml"))
    assert described_keys(CONFIGURATION) == known_keys


def test_the_configuration_page_names_the_placeholders_of_each_template() -> None:
    rows = re.findall(r"^\| `\{(\w+)\}` \| (.*?) \|", CONFIGURATION.read_text(encoding="utf-8"), re.MULTILINE)
    assert {name for name, where in rows if where == "all templates"} == LAYER_FIELDS
    assert {name for name, where in rows} == PLACE_FIELDS
    assert f"| template | `{DEFAULT_LAYER_NAME}` |" in CONFIGURATION.read_text(encoding="utf-8")


def test_every_configuration_shown_is_valid() -> None:
    blocks = [block["text"] for page in PAGES for block in FENCE.finditer(page.read_text(encoding="utf-8"))]
    shown = [text for text in blocks if text.startswith("[publish]\n")]
    assert len(shown) > 2
    for text in shown:
        read_publishing(text, path=Path("layerkit.toml"))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    prose = FENCE.sub("", page.read_text(encoding="utf-8"))
    targets = [match["target"].partition("#")[0] for match in LINK.finditer(prose)]
    broken = [
        target
        for target in targets
        if target and not target.startswith(ELSEWHERE) and not (page.parent / target).exists()
    ]
    assert broken == []


def test_every_page_can_be_reached_from_the_index() -> None:
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    linked = {(DOCS / match["target"]).resolve() for match in LINK.finditer(text)}
    assert [
        named(page) for page in DOCS.rglob("*.md") if page.name != "index.md" and page.resolve() not in linked
    ] == []


def command_lines(page: Path) -> Iterator[list[str]]:
    """Yield the arguments of every ``layerkit …`` in the page's console, shell and YAML blocks."""
    for block in FENCE.finditer(page.read_text(encoding="utf-8")):
        text = block["text"].replace("\\\n", " ")
        starts = {"console": r"\$ ", "sh": "", "yaml": r"\s*- (?:run: )?"}.get(block["language"])
        if starts is None:
            continue
        for line in re.findall(rf"^{starts}((?:[A-Z_]+=\S+ )*layerkit\b.*)$", text, re.MULTILINE):
            words = shlex.split(line, comments=True)
            yield list(
                itertools.takewhile(lambda word: word not in {">", ">>", "|"}, words[words.index("layerkit") + 1 :])
            )


def parse(arguments: list[str]) -> None:
    """Let the Typer app read a command line without running it."""
    command: Any = typer.main.get_command(app)
    path = "layerkit"
    while hasattr(command, "commands") and arguments and arguments[0] in command.commands:
        command, path, arguments = command.commands[arguments[0]], f"{path} {arguments[0]}", arguments[1:]
    assert path != "layerkit" or arguments == ["--version"], f"there is no command {arguments[:1]}"
    if path != "layerkit":
        command.make_context(path, list(arguments))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_command_line_shown_is_one_that_the_program_takes(page: Path) -> None:
    for arguments in command_lines(page):
        parse(arguments)


@pytest.mark.parametrize("arguments", [["bild", "requests"], ["build", "--runtimes", "x"], ["build", "--prune", "all"]])
def test_a_command_line_that_the_program_does_not_take_is_found(arguments: list[str]) -> None:
    with pytest.raises((typer.exceptions.TyperException, AssertionError)):
        parse(arguments)


def test_command_lines_are_found_in_the_pages() -> None:
    """Else the tests above would hold for nothing."""
    assert sum(1 for page in PAGES for _ in command_lines(page)) > 30


def test_every_recipe_shown_whole_is_valid() -> None:
    blocks = [block for page in PAGES for block in FENCE.finditer(page.read_text(encoding="utf-8"))]
    recipes = [block["text"] for block in blocks if block["language"] == "toml" and "[layer]\nname = " in block["text"]]
    assert len(recipes) > 4
    for text in recipes:
        Recipe.from_toml(text, path=Path("recipe.toml"))


def test_every_recipe_has_a_readme_with_a_size_for_each_target() -> None:
    for path in sorted(ROOT.glob("recipes/*/recipe.toml")):
        recipe = Recipe.from_toml(path.read_text(encoding="utf-8"), path=path)
        readme = path.with_name("README.md").read_text(encoding="utf-8")
        layer = recipe.layer
        targets = [f"| {runtime} {arch} |" for runtime in layer.runtimes for arch in layer.architectures]
        targets = ["| universal |"] if recipe.build.universal else targets
        assert [target for target in targets if target not in readme] == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_no_page_shows_paths_of_the_machine_it_was_written_on(page: Path) -> None:
    assert re.findall(r"(?<![\w.])/(?:root|home|work|tmp|Users)/\S*", page.read_text(encoding="utf-8")) == []
