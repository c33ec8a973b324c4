"""Who calls, and what they may do: accounts' own keys, roles, sessions, and a part of IAM's policies."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

EVERYTHING: Final[Mapping[str, Any]] = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@dataclass(frozen=True, kw_only=True, slots=True)
class Role:
    """A role. ``trusted`` are accounts and ARNs; ``web_identity`` is the one token it is given out for."""

    arn: str
    trusted: tuple[str, ...] = ()
    external_id: str | None = None
    policy: Mapping[str, Any] = field(default_factory=lambda: EVERYTHING)
    web_identity: str | None = None
    tagging: bool = True
    lifetime: float | None = None
    longest: int = 3600

    @property
    def account(self) -> str:
        return self.arn.split(":")[4]

    @property
    def name(self) -> str:
        return self.arn.rpartition("/")[2]


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """A role that someone has assumed; ``expires`` is in seconds of the epoch."""

    key: str
    token: str = field(repr=False)
    role: Role
    name: str
    expires: float
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Who signed a request, or nobody (``account`` is then empty)."""

    account: str
    arn: str
    user_id: str = ""
    policy: Mapping[str, Any] = field(default_factory=lambda: EVERYTHING)
    session: Session | None = None

    def verdict(self, action: str, resource: str, *, region: str) -> str | None:
        """Return why ``action`` is refused in IAM's words, or ``None`` if it is allowed."""
        effects = {
            statement["Effect"]
            for statement in _listed(self.policy["Statement"])
            if _applies(statement, action=action, resource=resource, context={"aws:requestedregion": region})
        }
        if "Deny" in effects:
            return "with an explicit deny in an identity-based policy"
        if "Allow" in effects:
            return None
        return f"because no identity-based policy allows the {action} action"


NOBODY: Final = Caller(account="", arn="")


def policy_of(policy: Mapping[str, Any] | Iterable[str] | None) -> Mapping[str, Any]:
    """Return a policy document: as given, or one that allows the actions, or one that allows everything."""
    match policy:
        case None:
            return EVERYTHING
        case Mapping():
            return policy
        case actions:
            return {"Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}


def _applies(statement: Mapping[str, Any], *, action: str, resource: str, context: Mapping[str, str]) -> bool:
    actions = _any_like(statement.get("Action", ()), action.lower(), lower=True)
    if "NotAction" in statement:
        actions = not _any_like(statement["NotAction"], action.lower(), lower=True)
    return (
        actions and _any_like(statement.get("Resource", "*"), resource) and _holds(statement.get("Condition"), context)
    )


def _holds(condition: Mapping[str, Mapping[str, Any]] | None, context: Mapping[str, str]) -> bool:
    """Whether a condition holds; one on a key that the server does not know does not."""
    for operator, keys in (condition or {}).items():
        if operator not in {"StringEquals", "StringLike"}:
            return False
        if not all(_any_like(wanted, context.get(key.lower(), "\0")) for key, wanted in keys.items()):
            return False
    return True


def _any_like(patterns: str | Iterable[str], text: str, *, lower: bool = False) -> bool:
    return any(_like(pattern.lower() if lower else pattern, text) for pattern in _listed(patterns))


def _like(pattern: str, text: str) -> bool:
    regex = "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern)
    return re.fullmatch(regex, text, re.DOTALL) is not None


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
