"""Write the reference pages that the program itself can tell: ``python docs/generate.py [--check]``.

``--check`` changes nothing: it exits 1 and names the pages that differ. The pages depend on the package alone, not on
the terminal, the environment or the day.
"""  # noqa: INP001 -- a script, no package

import argparse
import ast
import importlib
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeGuard

import typer

import layerkit
from layerkit import facts
from layerkit.cli.commands import NAMES
from layerkit.cli.main import app
from layerkit.errors import LayerkitError
from layerkit.facts import PythonRuntime
from layerkit.facts.pruning import PruneRule, prune_rules
from layerkit.model.finding import Code

REFERENCE: Final = Path(__file__).parent / "reference"
_PACKAGE: Final = Path(layerkit.__file__).parent
_HEAD: Final = "<!-- Written by docs/generate.py; `make docs` refreshes it -->\n\n"

_FINDINGS: Final[Mapping[Code, tuple[str, str]]] = {
    Code.SIZE_UNZIPPED: (
        "error, warning",
        "Function and layers together have 262,144,000 bytes or more unzipped: Lambda refuses it; a warning from 80 %",
    ),
    Code.SIZE_ZIPPED_DIRECT: (
        "note",
        "The zip is over the 50 MiB of a direct upload; it has to go through S3",
    ),
    Code.SIZE_BUDGET: (
        "error, warning",
        "Over the recipe's `[budget]` (a warning; the build exits 1 and the zip stays), or over an audit's `--budget`",
    ),
    Code.STACK_TOO_MANY_LAYERS: ("error", "More than five layers: Lambda refuses the function"),
    Code.STACK_SAME_LAYER: ("error", "Two versions of one layer in a stack: Lambda refuses the function"),
    Code.STACK_OVERWRITTEN: (
        "warning, note",
        "A later layer overwrites files of an earlier one; a note where the content is the same",
    ),
    Code.STACK_DUPLICATE_DISTRIBUTION: (
        "warning, note",
        "A distribution is there twice; says which version is imported, and what of the other stays mixed in",
    ),
    Code.STACK_MIXED_PACKAGE: (
        "warning, note",
        "A package comes in halves: one hides the other, or, a note, both are put together",
    ),
    Code.STACK_SHADOWS_RUNTIME: (
        "warning, note",
        "A layer brings what the runtime brings, too, and goes before it; a warning where the versions do not agree",
    ),
    Code.STACK_SYSTEM_LIBRARY: (
        "warning, note",
        "A library in `lib/` that the system has, too: the system's is loaded; a note where nothing asks for it",
    ),
    Code.STACK_ARCHITECTURE: ("warning, note", "A layer is not meant for the architecture of the stack"),
    Code.STACK_RUNTIME: ("warning, note", "A layer is not meant for the runtime of the stack"),
    Code.ELF_ARCHITECTURE: (
        "error, warning, note",
        (
            "A binary is for another architecture or operating system; less than an error where its distribution has"
            " some for the right one, too"
        ),
    ),
    Code.ELF_GLIBC: (
        "error, note",
        "A binary asks for symbols of a newer glibc than the runtime has; a note where no runtime looks for it",
    ),
    Code.ELF_SYMBOL_VERSION: (
        "error, note",
        "A binary asks for symbols of a newer libstdc++ or another OpenSSL than the runtime has",
    ),
    Code.ELF_MISSING_LIBRARY: (
        "error, warning, note",
        (
            "A binary needs a library that neither the stack nor the runtime has; a warning where few binaries are"
            " concerned, a note where it lies off the search path"
        ),
    ),
    Code.ELF_UNREADABLE: (
        "warning",
        "A file begins like a binary and cannot be read: nobody can tell whether it loads",
    ),
    Code.PYTHON_ABI: (
        "error",
        "An extension module is for another Python, with none for the runtime's beside it",
    ),
    Code.PYTHON_IMPORT: (
        "error, warning, note",
        "Under `--verify-imports`, a module does not import; warning: optional part; note: only this machine lacks it",
    ),
    Code.PYTHON_MISSING_DEPENDENCY: (
        "warning, note",
        "A distribution requires another that neither the stack nor the runtime has, or not in a fitting version",
    ),
    Code.PYTHON_PATH_FILE: ("warning, note", "A `.pth` file, which Lambda executes when the function starts"),
    Code.PYTHON_STALE_BYTECODE: (
        "error, warning, note",
        "Bytecode of another Python, of another source, or of none: not used; an error where the module has no source",
    ),
    Code.PRUNE_UNMATCHED: (
        "warning",
        "A pattern of `keep` or `drop` takes no file of the layer: perhaps it is misspelt",
    ),
    Code.LAYOUT_UNREACHABLE: (
        "error, warning, note",
        "Files lie where no runtime looks; an error where nothing of the layer can be imported",
    ),
    Code.LAYOUT_LEFTOVER: ("warning, note", "Caches, tests and tools that take room; a warning where it is much"),
    Code.LAYOUT_SECRET: ("warning, note", "A file that by its name or content holds a secret"),
    Code.ZIP_UNSAFE_PATH: ("error", "A name that leaves its folder, or that no file system should see"),
    Code.ZIP_DUPLICATE_PATH: (
        "warning, note",
        "One name twice in a zip: which content wins is up to the unpacker; a note where names differ only by case",
    ),
    Code.ZIP_NOT_READABLE: ("error", "Modes that keep Lambda's user from reading files, or from executing extensions"),
    Code.ZIP_SYMLINK: ("warning, note", "A symbolic link; a warning where it points to nothing in the layer"),
    Code.ZIP_DAMAGED: (
        "error, warning",
        (
            "Content that cannot be unpacked, or that is not what the zip says; a warning where the manifest is of"
            " another zip"
        ),
    ),
    Code.FUNCTION_PYTHONPATH: ("error", "The function sets `PYTHONPATH`, which hides every layer"),
    Code.FUNCTION_UNREADABLE: ("note", "The function's own code cannot be read, so its size is not in the sum"),
    Code.LAYER_UNREADABLE: ("warning", "The layer version cannot be read, so its size is not in the sum"),
    Code.RUNTIME_DEPRECATED: (
        "error, warning",
        "The function's runtime is deprecated; an error once updates are blocked",
    ),
    Code.LAYER_DELETED: ("error", "The function uses a layer version that is deleted: it runs until its next change"),
    Code.LAYER_DENIED: ("warning", "The layer version may not be read with these credentials"),
    Code.LAYER_OUTDATED: ("note", "The layer has a newer version"),
    Code.LAYER_REGION: ("error", "The layer is in another region than the function"),
}
_EXIT_CODES: Final[Mapping[int, str]] = {
    0: "Done",
    1: "Findings, over a budget, a stale lock, changes under `--plan`, a plan declined; or this machine failed",
    2: "Bad input: options, recipes, requirements files, settings",
    3: "Requirements that cannot be locked; a lock that is stale or missing under `--locked`",
    4: "A file that could not be downloaded, or is not what the lock says",
    5: "A wheel that could not be built; a missing interpreter; something about the container engine",
    6: "The layer would not work on Lambda; no zip is left behind, unless `--force`",
    7: "AWS refused or could not be reached, for one destination at least",
    130: "Interrupted with Ctrl-C",
}


def main() -> int:
    """Write or check every page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a page is not current")
    if parser.parse_args().check:
        differing = stale_pages()
        for path in differing:
            sys.stdout.write(f"{path.relative_to(REFERENCE.parent.parent)} is not current; `make docs` writes it\n")
        return 1 if differing else 0
    REFERENCE.mkdir(exist_ok=True)
    for name, text in pages().items():
        (REFERENCE / name).write_text(text, encoding="utf-8", newline="\n")
    return 0


def stale_pages() -> list[Path]:
    """Return the generated pages that are missing or say something else than the package."""
    return [REFERENCE / name for name, text in pages().items() if _text(REFERENCE / name) != text]


def pages() -> dict[str, str]:
    """Return every generated page by file name."""
    writers: dict[str, Callable[[], Iterable[str]]] = {
        "cli.md": cli_page,
        "errors.md": errors_page,
        "exit-codes.md": exit_codes_page,
        "findings.md": findings_page,
        "manifest.md": manifest_page,
        "pruning.md": pruning_page,
        "runtimes.md": runtimes_page,
    }
    return {name: _HEAD + "\n".join(writer()).rstrip() + "\n" for name, writer in writers.items()}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield a Markdown table and an empty line."""
    yield _row(head)
    yield _row(["---"] * len(head))
    yield from map(_row, rows)
    yield ""


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _code(text: object) -> str:
    return f"`{text}`"


def _codes(texts: Iterable[object]) -> str:
    return ", ".join(map(_code, texts))


def cli_page() -> Iterator[str]:
    """Describe every command and option, from the Typer app itself."""
    yield "# Command line\n"
    yield "The result is stdout; progress, warnings and errors are stderr. `-h` or `--help` works everywhere.\n"
    yield "An environment variable counts where the option is not given. For an option that may be given several"
    yield "times it holds several values: paths apart by `:` (`;` on Windows), all others by spaces. A switch takes"
    yield "`1` or `0`.\n"
    yield "Exit codes: [exit-codes.md](exit-codes.md).\n"
    root = typer.main.get_command(app)
    yield from _command(root, "layerkit")


def _command(command: Any, path: str) -> Iterator[str]:
    context = command.make_context(path, [], resilient_parsing=True)
    yield f"## {path}\n"
    pieces = " ".join(command.collect_usage_pieces(context))
    yield f"```text\n{path} {pieces}\n```\n"
    yield f"{command.help}\n"
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    options = [param for param in command.params if param.param_type_name == "option" and param.name != "help"]
    if arguments:
        yield from table(
            ["Argument", "What"], [[_code(param.metavar or param.name), param.help] for param in arguments]
        )
    if options:
        head = ["Option", "What", "Default", "Environment"]
        yield from table(head, [_option(param) for param in options])
    for name, child in getattr(command, "commands", {}).items():
        yield from _command(child, f"{path} {name}")


def _option(param: Any) -> list[str]:
    flags = ", ".join(map(_code, [*sorted(param.opts, key=len), *param.secondary_opts]))
    metavar = "" if param.is_flag else f" {_code(_value(param))}"
    several = " (several times)" if param.multiple else ""
    return [flags + metavar, f"{param.help}{several}", _default(param), _code(param.envvar) if param.envvar else ""]


def _value(param: Any) -> str:
    if param.metavar:
        return str(param.metavar)
    choices = getattr(param.type, "choices", None)
    if choices:
        return "|".join(str(getattr(choice, "value", choice)) for choice in choices)
    names = {"path": "PATH", "integer": "N", "integer range": "N", "int": "N"}
    return names.get(str(getattr(param.type, "name", "")), "TEXT")


def _default(param: Any) -> str:
    if isinstance(param.show_default, str):
        return param.show_default
    if param.show_default and isinstance(param.default, (str, Path, int)) and not isinstance(param.default, bool):
        return _code(param.default)
    return ""


def exit_codes_page() -> Iterator[str]:
    """Describe the exit codes."""
    yield "# Exit codes\n"
    strangers = {error.exit_code for error in error_classes()} - set(_EXIT_CODES)
    if strangers:
        raise SystemExit(f"docs/generate.py does not explain the exit codes {sorted(strangers)}")
    yield from table(["Code", "What happened"], [[str(code), _EXIT_CODES[code]] for code in sorted(_EXIT_CODES)])
    yield "With several layers in one run, the highest code of those that failed counts; the others are still built."
    yield "Anything else is a bug and shows a traceback.\n"
    yield "Every error by name: [errors.md](errors.md)."


def errors_page() -> Iterator[str]:
    """Describe every error that a command can end with, by exit code."""
    yield "# Errors\n"
    yield "An error is one line, perhaps with details below it and a hint that leads out:\n"
    yield "```text\nerror: unknown architecture `riscv`\nhint: one of x86_64, arm64\n```\n"
    yield "The names below are the classes of `LayerkitError`; they do not appear in messages.\n"
    errors = sorted(error_classes(), key=lambda error: (error.exit_code, error.__name__))
    for code in sorted({error.exit_code for error in errors}):
        yield f"## Exit code {code}\n"
        rows = [[_code(error.__name__), _summary(error)] for error in errors if error.exit_code == code]
        yield from table(["Error", "When"], rows)


def _summary(error: type[LayerkitError]) -> str:
    paragraph = (inspect.getdoc(error) or "").split("\n\n")[0]
    return " ".join(paragraph.split()).replace("``", "`").rstrip(".")


def error_classes() -> Iterator[type[LayerkitError]]:
    """Yield the errors that the commands can raise: those of every module that they import, now or later."""
    for module in sorted(_modules_of_the_commands()):
        for value in vars(importlib.import_module(module)).values():
            if _is_error_of(value, module):
                yield value


def _is_error_of(value: object, module: str) -> TypeGuard[type[LayerkitError]]:
    if not isinstance(value, type) or not issubclass(value, LayerkitError):
        return False
    return value is not LayerkitError and value.__module__ == module


def _modules_of_the_commands() -> set[str]:
    found: set[str] = set()
    waiting = ["layerkit.cli.main", *(f"layerkit.cli.{name.replace('-', '_')}" for name in NAMES)]
    while waiting:
        module = waiting.pop()
        path = _source(module)
        if path is not None and module not in found:
            found.add(module)
            waiting += _imports(path)
    return found


def _source(module: str) -> Path | None:
    base = _PACKAGE.joinpath(*module.split(".")[1:])
    places = (base.with_suffix(".py"), base / "__init__.py") if module != "layerkit" else (base / "__init__.py",)
    return next((place for place in places if place.is_file()), None)


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names if alias.name.startswith("layerkit"))
            case ast.ImportFrom(module=str(name), level=0, names=names) if name.startswith("layerkit"):
                yield name
                yield from (f"{name}.{alias.name}" for alias in names)


def findings_page() -> Iterator[str]:
    """Describe the codes of findings."""
    yield "# Findings\n"
    yield "What a build or an audit has to say: in a build on stderr, and under `findings` in the"
    yield "[manifest](manifest.md) and in `--json`. An *error* means that it would not work: in a build exit code 6,"
    yield "and no zip unless `--force`. A *warning* may surprise, a *note* is good to know. An audit exits 1 if there"
    yield "are findings at or above `--fail-on`.\n"
    found = codes()
    missing = [code for code in found if code not in _FINDINGS]
    if missing:
        raise SystemExit(f"docs/generate.py does not explain the findings {', '.join(missing)}")
    yield from table(["Code", "Severity", "What"], [[_code(code), *_FINDINGS[code]] for code in found])


def codes() -> list[Code]:
    """Return the codes of findings that the commands can give."""
    paths = [path for module in _modules_of_the_commands() if (path := _source(module)) is not None]
    used = {name for path in paths for name in re.findall(r"\bCode\.([A-Z_]+)\b", path.read_text(encoding="utf-8"))}
    return [code for code in Code if code.name in used]


def pruning_page() -> Iterator[str]:
    """Describe the rules of the standard profile."""
    yield "# Pruning rules\n"
    yield "What `--prune standard` leaves out, by the first rule that takes a file. `--keep GLOB` saves a file from"
    yield "every rule, `--drop GLOB` takes more; what went is in the [manifest](manifest.md). A wheel's `.dist-info` is"
    yield "touched by no rule."
    yield "Why these rules are safe: [pruning by imports](../explanation/pruning.md).\n"
    for rule in prune_rules():
        yield f"## {rule.name}\n"
        yield f"{rule.reason[:1].upper()}{rule.reason[1:]} ([source]({rule.source})).\n"
        yield from _reach(rule)
        yield ""


def _reach(rule: PruneRule) -> Iterator[str]:
    if rule.folders:
        yield f"- Folders inside a package, unless something outside refers to them: {_codes(rule.folders)}"
    if rule.patterns:
        yield f"- Files: {_codes(rule.patterns)}"
    if rule.readers:
        yield f"- A stub stays where a module in its folder speaks of {_codes(rule.readers)}"


def runtimes_page() -> Iterator[str]:
    """Describe the runtimes from the facts."""
    yield "# Runtimes\n"
    yield "What layers can be built for. Dates that lie ahead are AWS's projections. `layerkit runtimes` adds what each"
    yield "is today.\n"
    head = ["Runtime", "System", "glibc", "Architectures", "Deprecated", "No new functions", "No updates"]
    found = facts.runtimes().values()
    rows = [
        [
            _code(runtime.name) + (" (preview)" if runtime.preview else ""),
            runtime.system.name,
            ".".join(map(str, runtime.glibc)),
            ", ".join(runtime.architectures),
            *(str(day) if day else "" for day in (runtime.deprecated, runtime.create_block, runtime.update_block)),
        ]
        for runtime in found
    ]
    yield from table(head, rows)
    yield "A layer cannot be built for a runtime that Lambda had stopped updating when these facts were gathered:"
    yield ", ".join(_code(runtime.name) for runtime in found if runtime.removed) + ".\n"
    yield "## What the Python runtimes bring\n"
    yield "As seen on the day given; AWS updates them without notice. What a layer brings goes before these.\n"
    pythons = [runtime for runtime in found if isinstance(runtime, PythonRuntime) and runtime.bundled]
    bundled = [
        [
            _code(runtime.name),
            str(runtime.bundled_seen),
            ", ".join(f"{each.name} {each.version}" for each in runtime.bundled),
        ]
        for runtime in pythons
    ]
    yield from table(["Runtime", "Seen", "Distributions"], bundled)


def manifest_page() -> Iterator[str]:
    """Describe the manifest from its JSON Schema."""
    schema = json.loads((_PACKAGE / "model" / "manifest.schema.json").read_text(encoding="utf-8"))
    yield "# Manifest\n"
    yield f"{schema['description']}\n"
    yield "It holds no time, no user and no absolute path, so it is as reproducible as the zip. The zip appears first,"
    yield "the manifest last, and it names the zip's `sha256`: a pair that does not match can be seen. The JSON Schema"
    yield "is `layerkit/model/manifest.schema.json` in the package.\n"
    yield "## Document\n"
    yield from _properties(schema)
    for name, part in schema["$defs"].items():
        if part["type"] == "object":
            yield f"## {name}\n"
            yield from _properties(part)


def _properties(schema: Mapping[str, Any]) -> Iterator[str]:
    required = schema.get("required", ())
    rows = [
        [_code(name), _type(part), "" if name in required else "optional", str(part.get("description", ""))]
        for name, part in schema["properties"].items()
    ]
    yield from table(["Key", "Type", "", "What"], rows)
    for name, part in schema["properties"].items():
        if part.get("type") == "object" and "properties" in part:
            yield f"Within `{name}`:\n"
            yield from _properties(part)


def _type(schema: Mapping[str, Any]) -> str:
    match schema:
        case {"const": value}:
            text = _code(json.dumps(value))
        case {"enum": values}:
            text = " or ".join(_code(value) for value in values)
        case {"$ref": reference}:
            text = str(reference).rpartition("/")[2]
        case {"anyOf": parts}:
            text = " or ".join(map(_type, parts))
        case {"type": "array", "items": items}:
            text = f"list of {_type(items)}"
        case {"type": [*kinds]}:
            text = " or ".join(map(str, kinds))
        case _:
            text = str(schema["type"])
    return text


if __name__ == "__main__":
    sys.exit(main())
