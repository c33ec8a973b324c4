"""What ``--print-policy`` prints is enough for just that command, and one action less is not."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from tests.aws_server import AwsServer
from tests.aws_server.clients import zip_of
from tests.layer_life import Shell
from tests.publishing import GUEST, make_zip, permissions, role_of, write_manifest

ACCOUNT: Final = "111111111111"
REGION: Final = "eu-west-1"
NAME: Final = "web-python312-x86_64"
HUB: Final = f"arn:aws:iam::{ACCOUNT}:role/hub"
PROFILE: Final = "acme_layers"
FRIEND: Final = "555555555555"
UNUSED: Final = {
    "s3:AbortMultipartUpload",  # takes away what an upload in parts leaves that fails
    "s3:ListBucket",  # tells a bucket that is not there from one that lets nobody in; AWS Signer asks for it
}
ELSEWHERE: Final[defaultdict[str, set[str]]] = defaultdict(
    set,
    audit={"sts:AssumeRole", "account:ListRegions"},  # find the destinations of the configuration
    adopt={"s3:GetObject", "s3:PutObject"},  # a small zip needs no bucket
)
CONFIGURATION: Final = f"""
[publish]
regions = ["all-enabled"]
ssm-parameter = "/layers/{{name}}"
staging-bucket = "staged-{{region}}"
signing-profile = "{PROFILE}"
[[publish.accounts]]
name = "one"
role = ["{HUB}", "{role_of(ACCOUNT)}"]
[publish.share]
accounts = ["{GUEST}"]
"""


@dataclass(kw_only=True)
class World(Shell):
    """An account with one region, in which a role does what its policy says, and a hub only assumes that role."""

    accounts: tuple[str, ...] = (ACCOUNT,)
    layer: Path = field(default_factory=Path)

    def configure(self, *lines: str, share: str | None = None) -> None:
        del lines
        text = CONFIGURATION if share is None else CONFIGURATION.replace(f'accounts = ["{GUEST}"]', share)
        (self.folder / "layerkit.toml").write_text(text, encoding="utf-8")

    def let(self, policy: Mapping[str, Any] | None) -> None:
        """Give both roles their part of a policy, or let them do everything."""
        entries = policy["Statement"] if policy is not None else None
        mine = entries and [entry for entry in entries if entry["Sid"] != "Roles"]
        hubs = entries and [entry for entry in entries if entry["Sid"] == "Roles"]
        as_policy = {"role": mine and {"Statement": mine}, "hub": entries and {"Statement": hubs}}
        self.server.seed_role(role_of(ACCOUNT), trusted=(HUB,), policy=as_policy["role"])
        self.server.seed_role(HUB, trusted=(ACCOUNT,), policy=as_policy["hub"])

    def reset(self) -> None:
        """Let the account be as at the beginning: functions, an old layer of somebody else's, empty buckets."""
        here = self.server.region(ACCOUNT, REGION)
        for kind in (here.layers, here.functions, here.parameters, here.jobs):
            kind.clear()
        self.server.seed_bucket(f"staged-{REGION}", account=ACCOUNT, region=REGION, versioned=True)
        arns = [
            self.server.seed_layer(ACCOUNT, REGION, NAME, zip_of(20 + number), share={"all": "*"} if number else None)
            for number in range(3)
        ]
        self.server.seed_function(ACCOUNT, REGION, "orders", zip_of(30), layers=[arns[1]])
        (self.folder / "ledger.jsonl").unlink(missing_ok=True)
        self.configure()

    @property
    def newest(self) -> Any:
        return self.server.layers(ACCOUNT, REGION)[NAME][-1]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with AwsServer(accounts=(ACCOUNT, GUEST), regions=(REGION,), throttle=False) as server:
        server.seed_signing_profile(ACCOUNT, REGION, PROFILE)
        server.seed_layer(GUEST, REGION, "theirs", zip_of(40), share={"all": "*"})
        layer = make_zip(tmp_path, "web")
        write_manifest(layer)
        yield World(server=server, folder=tmp_path, layer=layer)


def publishes(world: World) -> bool:
    """Publish over somebody else's version, signed, then share with another, and then find it all as it should be."""
    if world("publish", world.layer).code:
        return False
    world.configure(share=f'accounts = ["{FRIEND}"]')
    if world("publish", world.layer).code or world("publish", world.layer, "--plan").code:
        return False
    parameters = world.server.parameters(ACCOUNT, REGION)
    return (
        parameters["/layers/web"].value == world.newest.arn
        and world.newest.signing_job is not None
        and permissions(world.newest).keys() == {f"layerkit-account-{FRIEND}"}
    )


def adopts(world: World) -> bool:
    adopt = ("adopt", f"arn:aws:lambda:{REGION}:{GUEST}:layer:theirs:1", "--name", NAME)
    if world(*adopt).code:
        return False
    world.configure(share=f'accounts = ["{FRIEND}"]')
    if world(*adopt).code or world(*adopt, "--plan").code:
        return False
    return permissions(world.newest).keys() == {f"layerkit-account-{FRIEND}"}


def compares(world: World) -> bool:
    return world("versions", NAME).code == 0


def asks_who_uses_it(world: World) -> bool:
    told = world("used-by", NAME, "--json")
    return told.code == 0 and len(told.json["used_by"]) == 1


def retires(world: World) -> bool:
    told = world("retire", NAME, "--keep", "1", "--yes")
    return told.code == 0 and [one.number for one in world.server.layers(ACCOUNT, REGION)[NAME]] == [2, 3]


def unshares(world: World) -> bool:
    return world("unshare", NAME, "--public", "--yes").code == 0 and not world.newest.policy


def audits(world: World) -> bool:
    """All functions, one function, a layer: with the role that the hub would assume."""
    world.server.seed_role(
        role_of(ACCOUNT), trusted=(ACCOUNT,), policy=world.server.state.roles[role_of(ACCOUNT)].policy
    )
    common = ["--role", role_of(ACCOUNT), "--json", "--fail-on", "never"]
    every = world("audit", "--all-functions", *common)
    others = [
        world("audit", "--function-name", "orders", *common).code,
        world("audit", f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:{NAME}:2", *common).code,
    ]
    if every.code != 0 or any(others):
        return False
    codes = {finding["code"] for finding in every.json["findings"]}
    return "layer.outdated" in codes and not codes & {"layer.denied", "function.unreadable", "layer.unreadable"}


COMMANDS: Final[Mapping[str, tuple[list[str], Callable[[World], bool]]]] = {
    "publish": (["publish", "web.zip"], publishes),
    "adopt": (["adopt", f"arn:aws:lambda:{REGION}:{GUEST}:layer:theirs:1", "--name", NAME], adopts),
    "versions": (["versions", NAME], compares),
    "used-by": (["used-by", NAME], asks_who_uses_it),
    "retire": (["retire", NAME, "--keep", "1"], retires),
    "unshare": (["unshare", NAME, "--public"], unshares),
    "audit": (["audit"], audits),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_printed_policy_is_enough_and_one_action_less_is_not(command: str, world: World) -> None:
    arguments, works = COMMANDS[command]
    world.let(None)
    world.reset()
    printed = world(*arguments, "--print-policy")
    assert printed.code == 0, printed.err
    policy = json.loads(printed.out)
    assert {entry["Effect"] for entry in policy["Statement"]} == {"Allow"}
    world.let(policy)
    assert works(world), "the whole policy does not do"
    actions = {action for entry in policy["Statement"] for action in entry["Action"]} - UNUSED - ELSEWHERE[command]
    assert actions
    superfluous = []
    for action in sorted(actions):
        world.reset()
        world.let(without(policy, action))
        if works(world):
            superfluous.append(action)
    assert superfluous == []


def without(policy: Mapping[str, Any], action: str) -> Mapping[str, Any]:
    entries = [
        {**entry, "Action": [each for each in entry["Action"] if each != action]} for entry in policy["Statement"]
    ]
    return {**policy, "Statement": entries}


def test_before_the_roles_are_there_the_policy_can_be_printed(world: World) -> None:
    """Their account is in their ARN; only regions must be named."""
    path = world.folder / "layerkit.toml"
    path.write_text(path.read_text("utf-8").replace("all-enabled", REGION), encoding="utf-8")
    world.server.state.roles.clear()
    printed = world("publish", world.layer, "--print-policy")
    assert printed.code == 0, printed.err
    assert f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:{NAME}" in printed.out


def test_what_is_not_known_is_told_instead(world: World) -> None:
    world.server.state.roles.clear()
    printed = world("publish", world.layer, "--print-policy")
    assert (printed.code, printed.out) == (7, "")
    assert f"role `{HUB}` cannot be assumed" in printed.err
