"""SSM parameters: where others look up a layer's newest ARN."""

from layerkit.aws.errors import NotThere
from layerkit.aws.sessions import Session


class ParameterApi:
    """Parameters in one region, with one session. Raises ``AwsError`` subclasses."""

    def __init__(self, session: Session, region: str) -> None:
        self._service = session.service("ssm", region)

    def value(self, name: str) -> str | None:
        """Return a parameter's value; ``None`` if there is no such parameter."""
        try:
            return str(self._service.call("GetParameter", needs="Parameter", Name=name)["Parameter"]["Value"])
        except NotThere:
            return None

    def put(self, name: str, value: str) -> None:
        """Write a parameter, over what it may have held."""
        self._service.call("PutParameter", needs="Version", Name=name, Value=value, Type="String", Overwrite=True)
