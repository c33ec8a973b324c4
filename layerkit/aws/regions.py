"""Which regions an account has enabled."""

from layerkit.aws.sessions import Session
from layerkit.facts.regions import regions

_USABLE = ["ENABLED", "ENABLED_BY_DEFAULT"]


def enabled_regions(session: Session) -> tuple[str, ...]:
    """Return the regions with Lambda that the account has enabled. Raises ``AwsError`` subclasses."""
    service = session.service("account")
    found: list[str] = []
    token: dict[str, str] = {}
    while True:
        answer = service.call("ListRegions", needs="Regions", RegionOptStatusContains=_USABLE, **token)
        found += [each["RegionName"] for each in answer["Regions"]]
        if not answer.get("NextToken"):
            return tuple(sorted(name for name in found if name in regions()))
        token = {"NextToken": answer["NextToken"]}
