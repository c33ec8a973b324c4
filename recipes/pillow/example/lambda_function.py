"""Make thumbnails of a picture, in the formats that the event asks for."""

import base64
import io
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image, ImageOps, ImageStat

SUFFIXES = {"JPEG": ".jpg", "WEBP": ".webp"}


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Shrink the picture to the size that it may have at most, and describe what was written."""
    size = (event["width"], event["height"])
    with Image.open(io.BytesIO(base64.b64decode(event["picture"]))) as picture:
        small = shrink(picture, size)
        with TemporaryDirectory() as folder:
            written = [write(small, format_, Path(folder)) for format_ in event["formats"]]
            return {"original": [picture.format, *picture.size], "thumbnails": [describe(path) for path in written]}


def shrink(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return a smaller picture, upright and on white where it was transparent."""
    upright = ImageOps.exif_transpose(picture).convert("RGBA")
    small = ImageOps.contain(upright, size, method=Image.Resampling.LANCZOS)
    ground = Image.new("RGBA", small.size, "white")
    return Image.alpha_composite(ground, small).convert("RGB")


def write(picture: Image.Image, format_: str, folder: Path) -> Path:
    """Write the picture to the folder; /tmp is the only one that a function can write to."""
    path = folder / f"thumbnail{SUFFIXES[format_]}"
    picture.save(path, format_, quality=85)
    return path


def describe(path: Path) -> dict[str, Any]:
    """Read a picture again: its format, size and mean colour."""
    with Image.open(path) as picture:
        mean = [round(value) for value in ImageStat.Stat(picture.convert("RGB")).mean]
        return {"file": path.name, "format": picture.format, "size": list(picture.size), "mean_colour": mean}
