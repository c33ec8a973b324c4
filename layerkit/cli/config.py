"""``--config``: where layers are published, from layerkit.toml or pyproject.toml."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from layerkit.errors import UsageError, system_reason

if TYPE_CHECKING:
    from layerkit.model.publishing import Publishing

_DEFAULTS: Final = ("layerkit.toml", "pyproject.toml")


class NoConfiguration(UsageError):
    """A ``--config`` that cannot be read."""

    def __init__(self, *, path: Path, reason: str) -> None:
        super().__init__(
            f"configuration `{path}` cannot be read: {reason}", hint="name a layerkit.toml with `--config`"
        )


def read_configuration(path: Path | None) -> "Publishing":
    """Return the ``[publish]`` of the file, or of ``./layerkit.toml`` or ``./pyproject.toml``, or the defaults.

    Raises ``NoConfiguration`` and ``ConfigError``.
    """
    from layerkit.model.publishing import Publishing
    from layerkit.model.publishing_sections import read_publishing

    if path is None:
        path = next((found for name in _DEFAULTS if (found := Path(name)).is_file() and _is_ours(found)), None)
        if path is None:
            return Publishing()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        reason = system_reason(exc) if isinstance(exc, OSError) else "it is not UTF-8"
        raise NoConfiguration(path=path, reason=reason) from exc
    return read_publishing(text, path=path)


def _is_ours(path: Path) -> bool:
    """Tell a recipe named layerkit.toml, and a pyproject without ``[tool.layerkit]``, from a configuration."""
    import tomllib

    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return True
    if path.name == "pyproject.toml":
        return "layerkit" in data.get("tool", {})
    return "layer" not in data
