"""The ``[[files]]`` of a recipe: where in the layer a file may go."""

import re
import unicodedata
from pathlib import PurePosixPath
from typing import Final

from layerkit.model.recipe_parts import RecipeFile
from layerkit.model.toml_section import Document, Section

_DRIVE: Final = re.compile(r"[A-Za-z]:")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def read_files(document: Document) -> tuple[RecipeFile, ...]:
    """Read every ``[[files]]``; no two may have one target, also not where upper and lower case are one."""
    taken: dict[str, str] = {}
    files = [_file(section) for section in document.sections("files")]
    for place, file in enumerate(files):
        folded = unicodedata.normalize("NFC", file.target).casefold()
        other = taken.setdefault(folded, file.target)
        if other != file.target:
            document.complain(
                f"targets `{other}` and `{file.target}` of [[files]] differ only in case", "files", place, "target"
            )
        elif file.target and any(earlier.target == file.target for earlier in files[:place]):
            document.complain(f"two [[files]] have the target `{file.target}`", "files", place, "target")
    return tuple(files)


def _file(section: Section) -> RecipeFile:
    file = RecipeFile(
        source=_needed(section, "source"),
        target=_target(section),
        executable=section.flag("executable") or False,
    )
    section.finish()
    return file


def _needed(section: Section, key: str) -> str:
    text = section.text(key)
    if text is None and not section.has(key):
        section.complain(f"[[files]] has no `{key}`")
    return text or ""


def _target(section: Section) -> str:
    text = _needed(section, "target")
    if not text:
        return ""
    if problem := problem_of_target(text):
        section.complain(f"target `{_CONTROL.sub('?', text)}` of [[files]] {problem}", "target")
        return ""
    return str(PurePosixPath(text))


def problem_of_target(text: str) -> str | None:
    """Say what is wrong with a path below ``/opt``, or nothing."""
    checks = (
        (_CONTROL.search(text), "has control characters"),
        ("\\" in text, "has a backslash; folders are parted by `/`"),
        (_DRIVE.match(text), "has a drive letter; it is relative to /opt"),
        (text.startswith("/"), "is absolute; it is relative to /opt"),
        (".." in text.split("/"), "leaves the layer with `..`"),
        (text.endswith("/") or not PurePosixPath(text).name, "names a folder; name the file itself"),
    )
    return next((problem for wrong, problem in checks if wrong), None)
