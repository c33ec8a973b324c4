"""``.pth`` files: Lambda's bootstrap hands its folders to ``site.addsitedir``, so they are executed."""

import posixpath
from collections.abc import Iterator

from layerkit.audit.weight import examples
from layerkit.model.contents import Contents
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.stack import Stack


def path_file_findings(stack: Stack) -> Iterator[Finding]:
    """Yield what the .pth files of each part do when a function starts."""
    for part in stack.parts:
        texts = part.insides.path_files if part.insides is not None else {}
        running = [path for path, text in texts.items() if any(_runs(line) for line in text.splitlines())]
        if running:
            yield Finding(
                code=Code.PYTHON_PATH_FILE,
                severity=Severity.NOTE,
                where=part.where,
                message=f"executed whenever the function starts: {examples(running)}",
                paths=tuple(running),
            )
        folders = {posixpath.dirname(file.path) for file in part.files}
        for path, text in texts.items():
            yield from _dangling(part, path, text, folders)


def _dangling(part: Contents, path: str, text: str, folders: set[str]) -> Iterator[Finding]:
    lost = [line for line in text.splitlines() if _names_folder(line) and not _is_there(path, line.strip(), folders)]
    if lost:
        yield Finding(
            code=Code.PYTHON_PATH_FILE,
            severity=Severity.WARNING,
            where=f"{part.where}: {path}",
            message=f"it names a folder that will not be there: {examples(lost)}; what it stood for cannot be imported",
            hint="install the project itself, not in editable mode",
        )


def _runs(line: str) -> bool:
    return line.startswith(("import ", "import\t"))


def _names_folder(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("#") and not _runs(line)


def _is_there(path: str, line: str, folders: set[str]) -> bool:
    folder = posixpath.normpath(posixpath.join("/opt", posixpath.dirname(path), line))
    inside = folder.removeprefix("/opt/")
    return any(each == inside or each.startswith(f"{inside}/") for each in folders)
