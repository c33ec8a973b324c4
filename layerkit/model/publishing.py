"""Where layers are published, under which names, and with whom they are shared."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from layerkit.errors import UsageError
from layerkit.facts import limits
from layerkit.facts.regions import regions

ALL_ENABLED: Final = "all-enabled"
"""In place of regions: every region that the account has enabled."""

DEFAULT_LAYER_NAME: Final = "{name}-{runtime}-{architecture}"
LAYER_FIELDS: Final = frozenset({"name", "runtime", "architecture"})
PLACE_FIELDS: Final = LAYER_FIELDS | {"region", "account"}

_FIELD: Final = re.compile(r"\{([^{}]*)\}")
_ROLE: Final = re.compile(r"arn:(aws[a-z-]*):iam::\d{12}:role/[\w+=,.@/-]{1,512}", re.ASCII)
_ACCOUNT: Final = re.compile(r"\d{12}", re.ASCII)
_ORGANIZATION: Final = re.compile(r"o-[a-z0-9]{10,32}")
_SIGNING_PROFILE: Final = re.compile(r"[a-zA-Z0-9_]{2,64}")
_EXAMPLE_ROLE: Final = "arn:aws:iam::123456789012:role/layer-publisher"


class UnknownRegionError(UsageError):
    """A region that Lambda does not have."""

    def __init__(self, *, name: str) -> None:
        import difflib

        close = difflib.get_close_matches(name, regions(), n=1)
        hint = f"did you mean `{close[0]}`?" if close else "name it as AWS does, for example `eu-west-1`"
        super().__init__(f"unknown region `{name}`", hint=hint)


class MalformedPublishingError(UsageError):
    """A role, account, organisation or name template that AWS would not take."""

    def __init__(self, *, what: str, text: str, example: str) -> None:
        super().__init__(f"`{text}` is not {what}", hint=f"write it as `{example}`")


class UnfitLayerNameError(UsageError):
    """A layer name, made from the template, that Lambda does not take."""

    def __init__(self, *, name: str) -> None:
        super().__init__(
            f"`{name}` cannot be a layer's name: at most {limits().layer_name_length} letters, digits, `-` and `_`",
            hint="change `layer-name` in [publish], or the layer's name",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """How to get into an account: a profile, or roles assumed one after another, or the current credentials.

    ``regions`` are its own, if they are not those of all. ``session_tags`` and ``external_id`` go with the last role.
    """

    name: str
    profile: str | None = None
    roles: tuple[str, ...] = ()
    external_id: str | None = None
    session_tags: Mapping[str, str] = field(default_factory=dict)
    regions: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """Who may use the layers: accounts by number, organisations by id, everybody."""

    accounts: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()
    public: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Publishing:
    """What is published where. Templates hold ``{name}``, ``{runtime}`` and the like."""

    regions: tuple[str, ...] = ()
    accounts: tuple[Account, ...] = (Account(name="current"),)
    share: Share = field(default_factory=Share)
    layer_name: str = DEFAULT_LAYER_NAME
    ssm_parameter: str | None = None
    staging_bucket: str | None = None
    signing_profile: str | None = None


def filled(template: str, values: Mapping[str, str]) -> str:
    """Return the template with its fields filled in."""
    return _FIELD.sub(lambda match: values[match[1]], template)


def layer_name_of(template: str, *, name: str, runtimes: tuple[str, ...], architectures: tuple[str, ...]) -> str:
    """Return the name under which a layer is published; AWS allows no dots, so ``python3.13`` becomes ``python313``.

    A layer for several runtimes or architectures goes by the template without them, for the default template by its
    own name. Raises ``UnfitLayerNameError``.
    """
    one_target = len(runtimes) == 1 and len(architectures) == 1
    if template == DEFAULT_LAYER_NAME and not one_target:
        template = "{name}"
    values = {"name": name, "runtime": "-".join(runtimes).replace(".", ""), "architecture": "-".join(architectures)}
    made = filled(template, values)
    if not limits().is_layer_name(made):
        raise UnfitLayerNameError(name=made)
    return made


def check_template(text: str, fields: frozenset[str]) -> str:
    """Return a template whose fields are all known. Raises ``MalformedPublishingError``."""
    named = _FIELD.findall(text)
    if not set(named) <= fields or "{" in _FIELD.sub("", text) or "}" in _FIELD.sub("", text):
        known = ", ".join(f"{{{name}}}" for name in sorted(fields))
        raise MalformedPublishingError(what=f"a template of {known}", text=text, example=DEFAULT_LAYER_NAME)
    return text


def check_region(text: str) -> str:
    """Return a region's name. Raises ``UnknownRegionError``."""
    if text != ALL_ENABLED and text not in regions():
        raise UnknownRegionError(name=text)
    return text


def check_role(text: str) -> str:
    """Return a role's ARN. Raises ``MalformedPublishingError``."""
    return _checked(_ROLE, text, what="the ARN of a role", example=_EXAMPLE_ROLE)


def check_account(text: str) -> str:
    """Return an account's number. Raises ``MalformedPublishingError``."""
    return _checked(_ACCOUNT, text, what="an account's number of 12 digits", example="123456789012")


def check_organization(text: str) -> str:
    """Return an organisation's id. Raises ``MalformedPublishingError``."""
    return _checked(_ORGANIZATION, text, what="an organisation's id", example="o-abcdefghij")


def check_signing_profile(text: str) -> str:
    """Return the name of a profile of AWS Signer. Raises ``MalformedPublishingError``."""
    return _checked(_SIGNING_PROFILE, text, what="the name of a signing profile", example="acme_layers")


def _checked(pattern: re.Pattern[str], text: str, *, what: str, example: str) -> str:
    if not pattern.fullmatch(text):
        raise MalformedPublishingError(what=what, text=text, example=example)
    return text
