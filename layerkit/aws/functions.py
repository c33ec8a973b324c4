"""Lambda's API of functions, as far as layers are concerned."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from layerkit.aws.sessions import Session


@dataclass(frozen=True, kw_only=True, slots=True)
class AttachedLayer:
    """A layer version in a function's list, as the function remembers it: also when it is deleted meanwhile."""

    arn: str
    code_size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionConfiguration:
    """A function's configuration. ``code_size`` is its zip's in bytes; of its environment only ``python_path``."""

    name: str
    arn: str
    runtime: str | None
    architecture: str
    code_size: int
    layers: tuple[AttachedLayer, ...]
    python_path: str | None
    is_image: bool

    @property
    def region(self) -> str:
        """The region it runs in."""
        return self.arn.split(":")[3]

    @property
    def account(self) -> str:
        """The account that owns it."""
        return self.arn.split(":")[4]


class FunctionApi:
    """Functions in one region, with one session. Raises ``AwsError`` subclasses."""

    def __init__(self, session: Session, region: str) -> None:
        self.region = region
        self._service = session.service("lambda", region)

    def configuration(self, name: str) -> FunctionConfiguration:
        """Return the configuration of a function by its name or ARN."""
        return _configuration_of(self._service.call("GetFunctionConfiguration", needs="FunctionArn", FunctionName=name))

    def code_location(self, name: str) -> str | None:
        """Return a link to a function's own zip that works for ten minutes; ``None`` where AWS gives none."""
        answer = self._service.call("GetFunction", needs="Code", FunctionName=name)
        location = answer["Code"].get("Location")
        return str(location) if location else None

    def all_functions(self) -> Iterator[FunctionConfiguration]:
        """Yield every function of the account in the region."""
        for item in self._service.pages("ListFunctions", member="Functions"):
            yield _configuration_of(item)

    def all_versions(self) -> Iterator[FunctionConfiguration]:
        """Yield every function as it is now and in each of its published versions; the ARNs name the version."""
        for item in self._service.pages("ListFunctions", member="Functions", FunctionVersion="ALL"):
            yield _configuration_of(item)


def _configuration_of(item: Mapping[str, Any]) -> FunctionConfiguration:
    variables = (item.get("Environment") or {}).get("Variables") or {}
    return FunctionConfiguration(
        name=item["FunctionName"],
        arn=item["FunctionArn"],
        runtime=item.get("Runtime"),
        architecture=next(iter(item.get("Architectures") or ("x86_64",))),
        code_size=int(item.get("CodeSize") or 0),
        layers=tuple(
            AttachedLayer(arn=layer["Arn"], code_size=int(layer.get("CodeSize") or 0))
            for layer in item.get("Layers") or ()
        ),
        python_path=variables.get("PYTHONPATH"),
        is_image=item.get("PackageType") == "Image",
    )
