"""Read ``[publish]`` of a layerkit.toml, or ``[tool.layerkit.publish]`` of a pyproject.toml."""

from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from layerkit.errors import ConfigError
from layerkit.model.publishing import (
    DEFAULT_LAYER_NAME,
    LAYER_FIELDS,
    PLACE_FIELDS,
    Account,
    Publishing,
    Share,
    check_account,
    check_organization,
    check_region,
    check_role,
    check_signing_profile,
    check_template,
)
from layerkit.model.toml_section import Document, Section

_Read = TypeVar("_Read")
_IN_PYPROJECT: Final = ("tool", "layerkit")


def read_publishing(text: str, *, path: Path) -> Publishing:
    """Read a configuration; one without ``[publish]`` gives the defaults. Raises ``ConfigError`` with every mistake."""
    root = _IN_PYPROJECT if path.name == "pyproject.toml" else ()
    document = Document(text.removeprefix("\ufeff"), path=path, root=root, error=ConfigError)
    document.expect_sections(("publish",))
    publishing = _publish(document.section("publish"))
    document.finish()
    return publishing


def _publish(section: Section) -> Publishing:
    publishing = Publishing(
        regions=_each(section, "regions", check_region),
        accounts=_accounts(section),
        share=_share(section.section("share")),
        layer_name=_template(section, "layer-name", LAYER_FIELDS) or DEFAULT_LAYER_NAME,
        ssm_parameter=_parameter(section),
        staging_bucket=_template(section, "staging-bucket", PLACE_FIELDS),
        signing_profile=_signing_profile(section),
    )
    section.finish()
    return publishing


def _accounts(section: Section) -> tuple[Account, ...]:
    accounts = tuple(_account(each) for each in section.sections("accounts"))
    names = [account.name for account in accounts]
    for name in dict.fromkeys(name for name in names if name and names.count(name) > 1):
        section.complain(f"two accounts are named `{name}`", "accounts")
    return accounts or Publishing().accounts


def _account(section: Section) -> Account:
    name = section.text("name")
    if name is None and not section.has("name"):
        section.complain(f"{section.title} has no `name`")
    account = Account(
        name=name or "",
        profile=section.text("profile"),
        roles=tuple(
            role
            for text in section.text_or_texts("role")
            if (role := section.read("role", text, check_role)) is not None
        ),
        external_id=section.text("external-id"),
        session_tags=section.mapping("session-tags"),
        regions=_each(section, "regions", check_region),
    )
    if not account.roles and (account.external_id or account.session_tags):
        section.complain(f"`external-id` and `session-tags` in {section.title} go with a `role`")
    section.finish()
    return account


def _share(section: Section) -> Share:
    share = Share(
        accounts=_each(section, "accounts", check_account),
        organizations=_each(section, "organizations", check_organization),
        public=section.flag("public") or False,
    )
    section.finish()
    return share


def _parameter(section: Section) -> str | None:
    template = _template(section, "ssm-parameter", PLACE_FIELDS)
    if template is not None and (not template.startswith("/") or template.startswith(("/aws/", "/ssm/"))):
        section.complain(
            f"`{template}` cannot be an SSM parameter: it must begin with `/`, and not with `/aws/` or `/ssm/`",
            "ssm-parameter",
        )
    return template


def _signing_profile(section: Section) -> str | None:
    text = section.text("signing-profile")
    return None if text is None else section.read("signing-profile", text, check_signing_profile)


def _template(section: Section, key: str, fields: frozenset[str]) -> str | None:
    text = section.text(key)
    return None if text is None else section.read(key, text, lambda value: check_template(value, fields))


def _each(section: Section, key: str, reader: Callable[[str], _Read]) -> tuple[_Read, ...]:
    read = (section.read(key, text, reader) for text in section.texts(key))
    return tuple(value for value in read if value is not None)
