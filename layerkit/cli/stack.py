"""``--stack``: what else a function's stack holds, in unzipped bytes."""

from collections.abc import Iterable
from pathlib import Path

from layerkit.errors import UsageError
from layerkit.formats.zip import ZipProblem, read_entries
from layerkit.model.limits import parse_size


class UnreadableStackPart(UsageError):
    """A zip of the stack that cannot be read."""

    def __init__(self, *, path: Path, why: str) -> None:
        super().__init__(f"`{path}` of `--stack` cannot be read: {why}")


def unzipped_bytes_of(parts: Iterable[str]) -> int:
    """Add up zips (their files' sizes), folders (likewise) and plain sizes. Raises ``UsageError`` subclasses."""
    return sum(_bytes_of(part) for part in parts)


def _bytes_of(part: str) -> int:
    path = Path(part)
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    if not path.exists():
        if path.suffix == ".zip" or len(path.parts) > 1:
            raise UnreadableStackPart(path=path, why="there is no such file")
        return parse_size(part)
    try:
        with path.open("rb") as stream:
            return sum(entry.unzipped_bytes for entry in read_entries(stream))
    except (OSError, ZipProblem) as exc:
        raise UnreadableStackPart(path=path, why=str(exc)) from exc
