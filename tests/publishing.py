"""A small world to publish into: accounts, roles, regions and zips, and what must be true of it in the end."""

import base64
import hashlib
import json
import os
import random
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from layerkit.aws.errors import Refused
from layerkit.aws.sessions import close_sessions
from layerkit.model.publishing import Account, Publishing, Share
from layerkit.progress import Silent
from layerkit.publish.apply import Applier
from layerkit.publish.artifact import Artifact
from layerkit.publish.artifacts import Labels, read_artifacts
from layerkit.publish.destinations import find_destinations
from layerkit.publish.ledger import Ledger
from layerkit.publish.outcome import Outcome, Status
from layerkit.publish.plan import Plan
from layerkit.publish.run import carry_out, prepare
from layerkit.publish.staging import Staging
from layerkit.publish.wanted import wanted_of
from tests.aws_server import AwsServer, LayerVersion

ACCOUNTS: Final = ("111111111111", "222222222222", "333333333333")
REGIONS: Final = ("eu-west-1", "us-east-1", "eu-central-1", "ap-southeast-2")
GUEST: Final = "444444444444"
ORGANIZATION: Final = "o-abcdefghij"
PARAMETER: Final = "/layers/{name}/{runtime}/{architecture}"
LABELS: Final = Labels(runtimes=("python3.12",), architectures=("x86_64",))
PACE: Final = 0.01
LARGE: Final = 53_000_000  # bytes, over what a request may carry


def role_of(account: str) -> str:
    return f"arn:aws:iam::{account}:role/publisher"


def make_zip(folder: Path, name: str, *, size: int = 20, seed: int = 0) -> Path:
    """Write a zip of one file with ``size`` bytes that no compressor makes smaller."""
    path = folder / f"{name}.zip"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as out:
        entry = zipfile.ZipInfo(f"python/{name}.py", (2020, 2, 2, 2, 2, 2))
        entry.external_attr = 0o100644 << 16
        out.writestr(entry, random.Random(f"{name} {seed}").randbytes(size))  # noqa: S311 -- filler
    return path


def write_manifest(path: Path, **changes: object) -> Path:
    """Write a manifest beside a zip, as a build does; ``None`` takes a key out."""
    layer: dict[str, object] = {
        "name": path.stem,
        "path": path.name,
        "description": "Made by hand",
        "license": "MIT",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "compatible_runtimes": ["python3.12"],
        "compatible_architectures": ["x86_64"],
        "content_digest": "sha256:" + hashlib.sha256(path.name.encode()).hexdigest(),
        **changes,
    }
    manifest = path.with_name(f"{path.stem}.layer.json")
    layer = {key: value for key, value in layer.items() if value is not None}
    manifest.write_text(json.dumps({"version": 1, "layers": [layer]}), encoding="utf-8")
    return manifest


@dataclass(kw_only=True)
class World:
    """A server with a role in each account, and what shall be published there."""

    server: AwsServer
    folder: Path
    artifacts: tuple[Artifact, ...]
    accounts: Sequence[str] = ACCOUNTS
    regions: Sequence[str] = REGIONS
    bucket: str | None = None
    create_bucket: bool = False
    share: Share = field(default_factory=lambda: Share(accounts=(GUEST,), organizations=(ORGANIZATION,)))

    @classmethod
    def of(cls, server: AwsServer, folder: Path, zips: Iterable[Path], **more: object) -> "World":
        artifacts = read_artifacts(tuple(zips), labels=LABELS, template="{name}-{runtime}-{architecture}")
        world = cls(server=server, folder=folder, artifacts=artifacts, **more)  # type: ignore[arg-type]
        for account in world.accounts:
            server.seed_role(role_of(account), trusted=(world.accounts[0],))
        return world

    @property
    def publishing(self) -> Publishing:
        return Publishing(
            regions=tuple(self.regions),
            accounts=tuple(Account(name=f"a{number[0]}", roles=(role_of(number),)) for number in self.accounts),
            share=self.share,
            ssm_parameter=PARAMETER,
            staging_bucket=self.bucket,
        )

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger.jsonl"

    @property
    def places(self) -> list[tuple[str, str]]:
        return [(account, region) for account in self.accounts for region in self.regions]

    def configuration(self) -> Path:
        """Write the same as a layerkit.toml."""
        lines = ["[publish]", f"regions = {json.dumps(list(self.regions))}", f'ssm-parameter = "{PARAMETER}"']
        lines += [f'staging-bucket = "{self.bucket}"'] if self.bucket else []
        for number in self.accounts:
            lines += ["[[publish.accounts]]", f'name = "a{number[0]}"', f'role = "{role_of(number)}"']
        lines += ["[publish.share]", f"accounts = {json.dumps(list(self.share.accounts))}"]
        lines += [f"organizations = {json.dumps(list(self.share.organizations))}"]
        path = self.folder / "layerkit.toml"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def arguments(self, *more: str) -> list[str]:
        """Return the command line that publishes it."""
        zips = [str(artifact.path) for artifact in self.artifacts]
        labels = ["--runtime", "python3.12", "--arch", "x86_64"]
        return [
            "publish",
            *zips,
            *labels,
            f"--config={self.configuration()}",
            f"--ledger={self.ledger}",
            "--yes",
            *more,
        ]

    def environment(self) -> dict[str, str]:
        """Return the environment of a process of its own."""
        mine = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ}
        return {
            **mine,
            "HOME": str(self.folder),
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "NO_PROXY": "127.0.0.1",
            **self.server.environment(self.accounts[0]),
        }

    def run(self) -> tuple[Plan, tuple[Outcome, ...]]:
        """Publish in this process, as a new process would, with short pauses."""
        close_sessions()
        ledger = Ledger(path=self.ledger)
        publishing = self.publishing
        prepared = prepare(
            find_destinations(publishing),
            lambda destination: [wanted_of(artifact, publishing, destination) for artifact in self.artifacts],
            ledger=ledger,
            align=False,
            progress=Silent(),
        )
        staging = Staging(publishing.staging_bucket, create=self.create_bucket)
        applier = Applier(staging=staging, ledger=ledger, pace=PACE)
        outcomes = carry_out(prepared.plan.steps, applier, progress=Silent())
        close_sessions()
        return prepared.plan, (*outcomes, *prepared.failed)

    def versions(self, artifact: Artifact, account: str, region: str) -> list[LayerVersion]:
        """Return the versions that hold an artifact."""
        found = self.server.layers(account, region).get(artifact.layer_name, [])
        return [version for version in found if version.code.code_sha256 == artifact.code_sha256]

    def check_report(self, outcomes: Sequence[Outcome]) -> None:
        """Hold what a run told to what the server has."""
        assert len(outcomes) == len(self.places) * len(self.artifacts)
        for outcome in outcomes:
            artifact, where = outcome.step.wanted.artifact, outcome.step.destination
            there = self.versions(artifact, where.number, where.region)
            assert len(there) <= 1, f"published {len(there)} times"
            assert (outcome.error is None) == (outcome.status is not Status.FAILED)
            if outcome.arn is not None:
                assert [version.arn for version in there] == [outcome.arn]
                assert there[0].number == outcome.version_number
            if outcome.status is not Status.FAILED:
                assert outcome.arn is not None
                self._check_there(artifact, there[0])
            if outcome.arn is None and outcome.step.publications and isinstance(outcome.error, Refused):
                assert not there, "certainly not published, it was said"

    def check_end(self) -> None:
        """Hold the server to what is wanted: exactly one version everywhere, permissions, parameters, nothing else."""
        for account, region in self.places:
            for artifact in self.artifacts:
                there = self.versions(artifact, account, region)
                assert len(there) == 1, f"{len(there)} versions of {artifact.layer_name} in {account} {region}"
                self._check_there(artifact, there[0])

    def _check_there(self, artifact: Artifact, version: LayerVersion) -> None:
        assert permissions(version) == self._wanted_permissions(version)
        assert version.runtimes == artifact.runtimes
        name = f"/layers/{artifact.name}/python3.12/x86_64"
        parameters = self.server.parameters(version.address.account, version.address.region)
        assert parameters[name].value == version.arn

    def _wanted_permissions(self, version: LayerVersion) -> Mapping[str, tuple[str, str | None]]:
        del version
        wanted: dict[str, tuple[str, str | None]] = {}
        wanted |= {f"layerkit-account-{number}": (number, None) for number in self.share.accounts}
        wanted |= {f"layerkit-org-{one}": ("*", one) for one in self.share.organizations}
        return wanted


def permissions(version: LayerVersion) -> dict[str, tuple[str, str | None]]:
    """Return principal and organisation of each statement, by its id."""
    found = {}
    for sid, statement in version.policy.items():
        principal = statement["Principal"]
        number = principal if principal == "*" else principal["AWS"].split(":")[4]
        found[sid] = number, statement.get("Condition", {}).get("StringEquals", {}).get("aws:PrincipalOrgID")
    return found


def base64_sha256(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()
