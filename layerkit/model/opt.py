"""What lies in a layer by its name, below ``/opt``."""

from typing import Final

LOOKED_AT: Final = frozenset({"python", "nodejs", "java", "ruby", "bin", "lib", "extensions"})
"""The folders that Lambda, or a runtime, looks into."""

JUNK: Final = frozenset({"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"})
"""What desktops leave behind."""
