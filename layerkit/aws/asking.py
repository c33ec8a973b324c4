"""What is being asked of AWS, for the words in which it fails."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """What is being asked: the ``action`` as IAM names it, in which region, with which profile and role."""

    action: str
    region: str | None = None
    profile: str | None = None
    role: str | None = None


def close_to(region: str | None) -> str | None:
    """Return the region that was probably meant; ``None`` where it is one, or like none."""
    import difflib

    from layerkit.facts.regions import regions

    if region is None or region in regions():
        return None
    return next(iter(difflib.get_close_matches(region, regions(), n=1)), None)
