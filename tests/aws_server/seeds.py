"""What tests put into the server before, or beside, what its clients do: without any check."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tests.aws_server.arns import LayerAddress, parse_layer_version_arn, partition_of
from tests.aws_server.blobs import Blob
from tests.aws_server.iam import Role, policy_of
from tests.aws_server.lambda_functions import freeze
from tests.aws_server.lambda_policy import statement_of
from tests.aws_server.state import Bucket, Function, LayerReference, LayerVersion, Region, SigningProfile, State


class Seeds:
    """The seeding half of the server."""

    @property
    def state(self) -> State:
        raise NotImplementedError

    def region(self, account: str, region: str) -> Region:
        """Return what an account holds in a region."""
        return self.state.regions[account, region]

    def layer(self, arn: str) -> LayerVersion:
        """Return a version by its ARN."""
        parsed = parse_layer_version_arn(arn)
        version = parsed and self.state.layer_version(*parsed)
        if not version:
            raise KeyError(arn)
        return version

    def seed_role(
        self,
        arn: str,
        *,
        trusted: Iterable[str] = (),
        external_id: str | None = None,
        policy: Mapping[str, Any] | Iterable[str] | None = None,
        web_identity: str | None = None,
        tagging: bool = True,
        lifetime: float | None = None,
    ) -> str:
        """Let the accounts and ARNs ``trusted`` assume a role.

        ``policy`` is an IAM policy document, or actions to allow on everything, or ``None`` for no limit.
        ``lifetime`` is how long its credentials work in seconds, whatever was asked for.
        """
        self.state.roles[arn] = Role(
            arn=arn,
            trusted=tuple(trusted),
            external_id=external_id,
            policy=policy_of(policy),
            web_identity=web_identity,
            tagging=tagging,
            lifetime=lifetime,
        )
        return arn

    def expire_sessions(self) -> None:
        """Let every role's credentials that are out there expire now."""
        with self.state.lock:
            for key, session in self.state.sessions.items():
                self.state.sessions[key] = replace(session, expires=0)

    def seed_organization(self, organization: str, accounts: Iterable[str]) -> None:
        self.state.organizations.update(dict.fromkeys(accounts, organization))

    def seed_layer(
        self,
        account: str,
        region: str,
        name: str,
        content: bytes,
        *,
        description: str = "",
        runtimes: Sequence[str] = (),
        architectures: Sequence[str] = (),
        license: str | None = None,  # noqa: A002 -- as AWS calls it
        share: Mapping[str, str] | None = None,
    ) -> str:
        """Publish a version and return its ARN; ``share`` maps statement ids to accounts, ``*`` or organisations."""
        address = LayerAddress(account=account, region=region, name=name)
        version = self.state.add_version(
            address,
            Blob(content),
            description=description,
            runtimes=tuple(runtimes),
            architectures=tuple(architectures),
            license=license,
        )
        for sid, principal in (share or {}).items():
            version.policy[sid] = _statement(version.arn, sid, principal)
            version.revision = str(uuid.uuid4())
        return version.arn

    def delete_layer(self, arn: str) -> None:
        """Delete a version, as its owner would."""
        version = self.layer(arn)
        del (
            self.region(version.address.account, version.address.region)
            .layers[version.address.name]
            .versions[version.number]
        )

    def seed_function(
        self,
        account: str,
        region: str,
        name: str,
        code: bytes | None = None,
        *,
        runtime: str | None = "python3.12",
        architecture: str = "x86_64",
        layers: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        handler: str = "app.handler",
        image: str | None = None,
    ) -> str:
        """Create a function without any check and return its ARN; the layers need not be there."""
        settings: dict[str, Any] = {
            "Runtime": runtime,
            "Handler": handler,
            "Role": f"arn:{partition_of(region)}:iam::{account}:role/function",
            "Architectures": [architecture],
            "PackageType": "Image" if image else "Zip",
            "Tags": {},
        }
        settings = {member: value for member, value in settings.items() if value is not None}
        if environment is not None:
            settings["Environment"] = {"Variables": dict(environment)}
        if image:
            settings = {name: settings[name] for name in settings if name not in {"Runtime", "Handler"}}
            settings["ImageUri"] = image
        function = Function(
            account=account,
            region=region,
            name=name,
            code=None if image else Blob(code or b""),
            settings=settings,
            layers=[self._reference(arn) for arn in layers],
            modified=self.state.timestamp(),
            revision=str(uuid.uuid4()),
        )
        self.region(account, region).functions[name] = function
        return function.arn

    def publish_function_version(self, account: str, region: str, name: str) -> str:
        """Freeze the function as its next version and return that version's ARN."""
        frozen = freeze(self.region(account, region).functions[name])
        return f"{frozen.arn}:{frozen.version}"

    def seed_bucket(
        self,
        name: str,
        *,
        account: str,
        region: str,
        versioned: bool = False,
        readers: Iterable[str] = (),
        writers: Iterable[str] = (),
    ) -> None:
        """Make a bucket; ``readers`` and ``writers`` are other accounts that its policy lets in."""
        self.state.buckets[name] = Bucket(
            name=name,
            account=account,
            region=region,
            versioning="Enabled" if versioned else None,
            readers=set(readers),
            writers=set(writers),
        )

    def seed_signing_profile(self, account: str, region: str, name: str) -> str:
        """Make a profile of AWS Signer and return the ARN of its version."""
        version = uuid.uuid4().hex[:10]
        profile = SigningProfile(account=account, region=region, name=name, version=version)
        self.region(account, region).profiles[name] = profile
        return profile.version_arn

    def _reference(self, arn: str) -> LayerReference:
        parsed = parse_layer_version_arn(arn)
        version = parsed and self.state.layer_version(*parsed)
        if not version:
            return LayerReference(arn=arn, code_size=0, unzipped=0)
        return LayerReference(arn=arn, code_size=len(version.code), unzipped=version.code.unzipped_size())


def _statement(arn: str, sid: str, principal: str) -> dict[str, Any]:
    wanted = {"StatementId": sid, "Action": "lambda:GetLayerVersion", "Principal": principal}
    if principal.startswith("o-"):
        wanted |= {"Principal": "*", "OrganizationId": principal}
    return statement_of(arn, wanted)
