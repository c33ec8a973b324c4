"""The how-tos on publishing work as pasted, against an AWS of our own: their steps are run as a CI system runs them."""

import hashlib
import importlib
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import botocore.session
import pytest

from tests.aws_server import AwsServer, Fault, Kind
from tests.publishing import LARGE, make_zip, write_manifest
from tests.workbench import Workbench

ROOT: Final = Path(__file__).parents[2]
FENCE: Final = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
DEV, PROD = ACCOUNTS = ("111111111111", "222222222222")
STRANGER: Final = "444444444444"
REGIONS: Final = ("eu-west-1", "us-east-1")
LAYERS: Final = {"app-python312-x86_64", "app-python313-x86_64"}
CI_ROLE: Final = f"arn:aws:iam::{DEV}:role/layers-ci"
PUBLISHERS: Final = [f"arn:aws:iam::{account}:role/layer-publisher" for account in ACCOUNTS]
TOKEN: Final = "a-token-of-the-ci-system"
DEPLOYED: Final = f"arn:aws:lambda:eu-west-1:{DEV}:layer:app-python313-x86_64:1"
RECIPE: Final = '[layer]\nname = "app"\nrequirements = ["app"]\nruntimes = ["python3.12", "python3.13"]\n'


def page(name: str) -> str:
    return (ROOT / "docs" / "how-to" / f"{name}.md").read_text("utf-8")


def blocks(text: str, language: str) -> list[str]:
    return [found["text"] for found in FENCE.finditer(text) if found["language"] == language]


def section(text: str, title: str) -> str:
    return text.split(f"\n## {title}\n")[1].partition("\n## ")[0]


def workflow(title: str) -> Any:
    """Return the YAML of a CI system as that system reads it."""
    yaml: Any = importlib.import_module("yaml")
    (text,) = blocks(section(page("publish-in-ci"), title), "yaml")
    return yaml.safe_load(text)


CONFIGURATION: Final = blocks(section(page("publish"), "Say where"), "toml")[0]
PROGRAMS: Final = {
    "layerkit": '"{python}" -m layerkit "$@"',
    "aws": '"{python}" -m awscli "$@"',
    "pip": '[ "$*" = "install ./layerkit" ]',  # it is on the path already
}


@pytest.fixture(name="server")
def aws() -> Iterator[AwsServer]:
    with AwsServer(accounts=(*ACCOUNTS, STRANGER), regions=REGIONS) as server:
        yield server


@pytest.fixture(name="project")
def a_project(bench: Workbench, server: AwsServer) -> Workbench:
    """Lay out what the pages presuppose: configuration, recipe, programs, an endpoint; but no credentials."""
    (bench.work / "layerkit.toml").write_text(CONFIGURATION, encoding="utf-8")
    recipe = bench.work / "recipes" / "app" / "recipe.toml"
    recipe.parent.mkdir(parents=True)
    recipe.write_text(RECIPE, encoding="utf-8")
    folder = bench.root / "bin"
    folder.mkdir()
    for name, line in PROGRAMS.items():
        program = folder / name
        program.write_text(f"#!/bin/sh\n{line.format(python=sys.executable)}\n", encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    outside = {name: value for name, value in server.environment(DEV).items() if "KEY" not in name}
    bench.environment = {name: value for name, value in outside.items() if "REGION" not in name}
    bench.environment |= {"AWS_PAGER": "", "XDG_STATE_HOME": str(bench.root / "state")}
    bench.environment |= {"PATH": os.pathsep.join([str(folder), os.environ["PATH"]])}
    return bench


def shell(script: str, project: Workbench, *command: str, **changes: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*(command or ("bash", "-e")), "-c", script],
        cwd=project.work,
        env=project.settings(**changes),
        capture_output=True,
        text=True,
        check=False,
    )


def versions(server: AwsServer) -> dict[tuple[str, str], dict[str, int]]:
    """Return how many versions each layer has in each destination."""
    return {
        (account, region): {name: len(there) for name, there in server.layers(account, region).items()}
        for account in ACCOUNTS
        for region in REGIONS
    }


EVERYWHERE_ONCE: Final = {(account, region): dict.fromkeys(LAYERS, 1) for account in ACCOUNTS for region in REGIONS}


# Publish to accounts and regions


@pytest.fixture(name="publishing")
def ready_to_publish(project: Workbench, server: AwsServer) -> Workbench:
    """Give credentials that may assume the roles, and one layer."""
    for role in PUBLISHERS:
        server.seed_role(role, trusted=(DEV,))
    project.environment |= server.environment(DEV)
    labels: dict[str, object] = {"compatible_runtimes": ["python3.13"], "name": "web"}
    write_manifest(make_zip(project.work / "dist", "web-python3.13-x86_64"), **labels)
    return project


def fail_in_prod(server: AwsServer) -> None:
    server.faults.add(Fault(kind=Kind.DENIED, operation="PublishLayerVersion", account=PROD, region="us-east-1"))


def build_anew(project: Workbench, seed: int = 1) -> None:
    """Put other content into the layer."""
    path = make_zip(project.work / "dist", "web-python3.13-x86_64", seed=seed)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    labels: dict[str, object] = {"compatible_runtimes": ["python3.13"], "name": "web", "content_digest": digest}
    write_manifest(path, **labels)


def answer(command: str, project: Workbench) -> tuple[str, int]:
    """Return what a terminal shows, days aside, and the exit code."""
    done = shell(command, project)
    text = re.sub(r"20\d\d-\d\d-\d\d \d\d:\d\d", "2026-11-24 10:30", done.stdout + done.stderr)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines()), done.returncode


def transcripts(name: str) -> Iterator[tuple[str, str]]:
    """Yield the commands that a page shows, with what it shows of their answers."""
    for text in blocks(page(name), "console"):
        command, _, expected = text.removeprefix("$ ").partition("\n")
        yield command, expected


def test_what_the_page_shows_is_what_the_program_says(publishing: Workbench, server: AwsServer) -> None:
    """Its console blocks, from first to last; before the part that fails there is a new version to publish."""
    codes = []
    for command, expected in transcripts("publish"):
        if "error:" in expected:
            build_anew(publishing)
            fail_in_prod(server)
        said, code = answer(command, publishing)
        server.faults.clear()
        assert said == expected
        codes.append(code)
    assert codes == [1, 0, 0, 0, 7, 0]


def test_the_pages_shell_blocks_do_what_they_say(publishing: Workbench, server: AwsServer) -> None:
    text = page("publish")
    scripts = {script.split()[-1]: script for script in blocks(text, "sh")}
    first = blocks(text, "sh")[0]
    config = (publishing.work / "layerkit.toml").rename(publishing.work / "elsewhere.toml")
    assert shell(first, publishing).returncode == 0
    assert [bool(server.layers(DEV, region)) for region in REGIONS] == [True, True]
    config.rename(publishing.work / "layerkit.toml")
    assert shell(scripts["--align"], publishing).returncode == 0
    assert shell("layerkit publish dist/*.zip", publishing).returncode == 0
    assert shell(scripts["layers.json"], publishing).returncode == 0
    mappings = json.loads((publishing.work / "layers.json").read_text("utf-8"))["Mappings"]
    assert mappings["webpython313x8664Layer"]["us-east-1"][PROD].endswith(":web-python313-x86_64:1")
    assert "web-python313-x86_64" in (publishing.work / "layers.auto.tfvars").read_text("utf-8")


def test_the_names_in_the_table_of_outputs_are_those_of_the_outputs(publishing: Workbench) -> None:
    rows = section(page("publish"), "Use the ARNs")
    assert shell("layerkit publish dist/*.zip", publishing).returncode == 0
    (variable,) = re.findall(r"\$(LAYER_ARN_\w+)", rows)
    (mapping,) = re.findall(r"FindInMap \[(\w+),", rows)
    outputs = {form: shell(f"layerkit publish dist/*.zip --plan --output {form}", publishing).stdout for form in FORMS}
    assert f"{variable}=arn:" in outputs["env"]
    assert f'"{mapping}"' in outputs["cloudformation"]
    assert '"web-python313-x86_64"' in outputs["tfvars"]


FORMS: Final = ("env", "cloudformation", "tfvars")


def test_a_bucket_is_made_for_a_large_layer(publishing: Workbench, server: AwsServer) -> None:
    (config,) = blocks(section(page("publish"), "Above 50 MB"), "toml")
    (publishing.work / "layerkit.toml").write_text(config, encoding="utf-8")
    labels: dict[str, object] = {"compatible_runtimes": ["python3.13"], "name": "science"}
    write_manifest(make_zip(publishing.work / "dist", "science-python3.13-x86_64", size=LARGE), **labels)
    (script,) = blocks(section(page("publish"), "Above 50 MB"), "sh")
    done = shell(script, publishing)
    assert (done.returncode, [server.bucket(f"acme-layers-{region}").region for region in REGIONS]) == (
        0,
        list(REGIONS),
    )
    assert "put-bucket-lifecycle-configuration" in done.stderr


def test_layers_are_signed(publishing: Workbench, server: AwsServer) -> None:
    (config,) = blocks(section(page("publish"), "Above 50 MB"), "toml")
    (publishing.work / "layerkit.toml").write_text(config, encoding="utf-8")
    (script,) = blocks(section(page("publish"), "Signed"), "sh")
    for region in REGIONS:
        server.seed_signing_profile(DEV, region, "layers")
        server.seed_bucket(f"acme-layers-{region}", account=DEV, region=region, versioned=True)
    assert shell(script, publishing).returncode == 0
    assert len(server.calls_of("StartSigningJob")) == len(REGIONS)
    assert shell(f"{script.rstrip()} --plan", publishing).returncode == 0


# Keep published layers in order


@pytest.fixture(name="kept")
def layers_in_use(publishing: Workbench, server: AwsServer) -> Workbench:
    """Publish four versions, the last not everywhere; let functions use some, and somebody else have a public layer."""
    for seed in range(4):
        build_anew(publishing, seed)
        if seed == 3:
            fail_in_prod(server)
        assert shell("layerkit publish dist/*.zip", publishing).returncode == (7 if seed == 3 else 0)
    server.faults.clear()
    layer = "arn:aws:lambda:{region}:{account}:layer:web-python313-x86_64:{version}"
    for account, region, function, version in ((DEV, *HERE, "orders", 1), (PROD, *HERE, "billing", 4)):
        used = layer.format(region=region, account=account, version=version)
        server.seed_function(account, region, function, runtime="python3.13", layers=[used])
        server.publish_function_version(account, region, function)
    content = make_zip(publishing.root / "foreign", "geo").read_bytes()
    server.seed_layer(STRANGER, *HERE, "geo", content, runtimes=["python3.13"], share={"all": "*"})
    return publishing


HERE: Final = ("eu-west-1",)


def share_no_longer(project: Workbench) -> None:
    config = project.work / "layerkit.toml"
    config.write_text(config.read_text("utf-8").partition("[publish.share]")[0], encoding="utf-8")


def test_what_the_page_on_order_shows_is_what_the_program_says(kept: Workbench, server: AwsServer) -> None:
    scripts = blocks(page("keep-layers-in-order"), "sh")
    codes = []
    for command, expected in transcripts("keep-layers-in-order"):
        if " unshare " in command:
            share_no_longer(kept)
        said, code = answer(command, kept)
        assert said == expected
        codes.append(code)
        if " unshare " in command:
            assert [shell(script, kept).returncode for script in scripts] == [0, 0]
    assert codes == [0, 0, 1, 1, 0, 0]
    assert sorted(version.number for version in server.layers(DEV, *HERE)["web-python313-x86_64"]) == [1, 3, 4]
    assert [version.number for version in server.layers(PROD, *HERE)["geo"]] == [1]


# Publish from CI: with no more permissions than the pages give


@pytest.fixture(name="ci")
def a_ci_project(project: Workbench, server: AwsServer) -> Workbench:
    """Let the roles be as the page says, with the policy that the program prints for them."""
    for role in PUBLISHERS:
        server.seed_role(role, trusted=(DEV,))
    for runtime in ("python3.12", "python3.13"):
        labels: dict[str, object] = {"name": "app", "compatible_runtimes": [runtime]}
        write_manifest(make_zip(project.work / "dist", f"app-{runtime}-x86_64"), **labels)
    printed = shell("layerkit publish dist/*.zip --print-policy", project, **server.environment(DEV))
    policy = json.loads(printed.stdout)
    policy["Statement"] = [statement for statement in policy["Statement"] if "Roles" not in statement["Sid"]]
    for role in PUBLISHERS:
        server.seed_role(role, trusted=(CI_ROLE,), policy=policy)
    (granted,) = blocks(section(page("publish-in-ci"), "The role"), "json")
    server.seed_role(CI_ROLE, trusted=(), web_identity=TOKEN, policy=json.loads(granted))
    server.seed_function(DEV, "eu-west-1", "orders", runtime="python3.13")
    shutil.rmtree(project.work / "dist")
    return project


def deployed(server: AwsServer) -> list[str]:
    return [layer.arn for layer in server.functions(DEV, "eu-west-1")["orders"].layers]


def credentials(server: AwsServer, role: str) -> dict[str, str]:
    """Return what AWS gives for the CI system's token, as environment variables."""
    client: Any = botocore.session.Session().create_client(
        "sts", region_name="eu-west-1", endpoint_url=server.endpoint_url
    )
    answer = client.assume_role_with_web_identity(RoleArn=role, RoleSessionName="ci", WebIdentityToken=TOKEN)
    given = answer["Credentials"]
    client.close()
    return {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }


class GitHubRunner:
    """Runs a job's steps, one shell each, with files for outputs and summary."""

    def __init__(self, project: Workbench, server: AwsServer) -> None:
        self.project, self.server = project, server
        self.environment: dict[str, str] = {"GITHUB_ACTIONS": "true", "CI": "true"}
        self.outputs: dict[str, dict[str, str]] = {}
        self.summary = ""

    def run(self) -> dict[str, int]:
        """Run until a step fails, and return the exit codes by the steps' names."""
        codes: dict[str, int] = {}
        for step in workflow("GitHub Actions")["jobs"]["publish"]["steps"]:
            if step.get("uses", "").startswith("aws-actions/configure-aws-credentials@"):
                given = step["with"]
                self.environment |= credentials(self.server, given["role-to-assume"])
                self.environment |= dict.fromkeys(("AWS_REGION", "AWS_DEFAULT_REGION"), given["aws-region"])
            if "run" in step:
                codes[step["name"]] = self._run(step)
                if codes[step["name"]]:
                    break
        return codes

    def _run(self, step: Mapping[str, Any]) -> int:
        output, summary = self.project.root / "output", self.project.root / "summary.md"
        for path in (output, summary):
            path.write_text("", encoding="utf-8")
        mine = {name: self._filled(value) for name, value in step.get("env", {}).items()}
        files = {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)}
        done = shell(step["run"], self.project, "bash", "-e", **self.environment, **files, **mine)
        if "id" in step:
            lines = output.read_text("utf-8").splitlines()
            self.outputs[step["id"]] = dict(line.split("=", 1) for line in lines)
        self.summary += summary.read_text("utf-8")
        return done.returncode

    def _filled(self, text: str) -> str:
        """Evaluate the one kind of expression that the page has."""
        found = re.fullmatch(r"\$\{\{ fromJSON\(steps\.(\w+)\.outputs\.(\w+)\)((?:\['[\w-]+'\])+) \}\}", text)
        assert found is not None
        value: Any = json.loads(self.outputs[found[1]][found[2]])
        for key in re.findall(r"\['([\w-]+)'\]", found[3]):
            value = value[key]
        return str(value)


class TestGitHub:
    def test_the_job_publishes_and_deploys_and_again_changes_nothing(self, ci: Workbench, server: AwsServer) -> None:
        runner = GitHubRunner(ci, server)
        assert runner.run() == dict.fromkeys(("Install", "Build", "Plan", "Publish", "Deploy"), 0)
        assert (versions(server), deployed(server)) == (EVERYWHERE_ONCE, [DEPLOYED])
        assert runner.outputs["publish"]["changed"] == "true"
        assert DEPLOYED in runner.summary
        shutil.rmtree(ci.work / "dist")
        shutil.rmtree(ci.root / "state")
        again = GitHubRunner(ci, server)
        assert set(again.run().values()) == {0}
        assert versions(server) == EVERYWHERE_ONCE
        assert (again.outputs["publish"]["changed"], again.outputs["publish"]["failed"]) == ("false", "false")

    def test_a_destination_that_fails_stops_the_job_and_the_next_run_goes_on(
        self, ci: Workbench, server: AwsServer
    ) -> None:
        fail_in_prod(server)
        runner = GitHubRunner(ci, server)
        assert runner.run() == {"Install": 0, "Build": 0, "Plan": 0, "Publish": 7}
        assert runner.outputs["publish"]["failed"] == "true"
        assert "failed: " in runner.summary
        assert deployed(server) == []
        server.faults.clear()
        assert set(GitHubRunner(ci, server).run().values()) == {0}
        assert (versions(server), deployed(server)) == (EVERYWHERE_ONCE, [DEPLOYED])

    def test_a_role_that_trusts_nobody_stops_the_job_at_the_plan(self, ci: Workbench, server: AwsServer) -> None:
        server.seed_role(PUBLISHERS[1], trusted=())
        assert GitHubRunner(ci, server).run() == {"Install": 0, "Build": 0, "Plan": 1}

    def test_the_trust_policy_names_the_role_of_the_workflow(self) -> None:
        text = section(page("publish-in-ci"), "GitHub Actions")
        statement = json.loads(blocks(text, "json")[0])["Statement"][0]
        steps = workflow("GitHub Actions")["jobs"]["publish"]["steps"]
        roles = [step["with"]["role-to-assume"] for step in steps if "role-to-assume" in step.get("with", {})]
        assert (roles, statement["Action"]) == ([CI_ROLE], "sts:AssumeRoleWithWebIdentity")


class TestGitLab:
    JOBS = workflow("GitLab CI")

    def run(self, name: str, project: Workbench, **more: str) -> "subprocess.CompletedProcess[str]":
        """Run a job, with what it extends, as GitLab's runner does."""
        job = {**self.JOBS[self.JOBS[name]["extends"]], **self.JOBS[name]}
        (token,) = job["id_tokens"]
        variables = {key: value.replace("$CI_JOB_ID", "4711") for key, value in job["variables"].items()}
        script = "\n".join([*job["before_script"], *job["script"]])
        return shell(script, project, "bash", "-eo", "pipefail", CI="true", **{token: TOKEN}, **variables, **more)

    def variables(self, project: Workbench) -> dict[str, str]:
        """Return what the report gives to later jobs."""
        path = project.work / self.JOBS["publish"]["artifacts"]["reports"]["dotenv"]
        return dict(line.split("=", 1) for line in path.read_text("utf-8").splitlines())

    def test_the_jobs_publish_and_deploy_and_again_change_nothing(self, ci: Workbench, server: AwsServer) -> None:
        for _ in range(2):
            done = self.run("publish", ci)
            assert done.returncode == 0, done.stderr
            assert versions(server) == EVERYWHERE_ONCE
        done = self.run("deploy", ci, **self.variables(ci))
        assert (done.returncode, deployed(server)) == (0, [DEPLOYED]), done.stderr

    def test_a_destination_that_fails_stops_the_job(self, ci: Workbench, server: AwsServer) -> None:
        fail_in_prod(server)
        assert self.run("publish", ci).returncode == 7
        assert not (ci.work / "layers.env").exists()

    def test_a_token_that_aws_does_not_know_stops_the_job(self, ci: Workbench, server: AwsServer) -> None:
        server.seed_role(CI_ROLE, web_identity="another token")
        assert self.run("publish", ci).returncode == 7
        assert versions(server) == {place: {} for place in EVERYWHERE_ONCE}


class TestCodeBuild:
    PHASES = workflow("AWS CodeBuild")["phases"]

    @pytest.fixture
    def build(self, ci: Workbench, server: AwsServer) -> Callable[[], "subprocess.CompletedProcess[str]"]:
        """Run the commands of all phases in one shell, as version 0.2 does, with the service role's credentials."""
        commands = [command for phase in self.PHASES.values() for command in phase["commands"]]
        mine = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1", "CODEBUILD_BUILD_ID": "layers:1"}
        script = "\n".join([*commands, 'echo "exported: $LAYER_ARN"'])
        return lambda: shell(script, ci, "sh", "-e", **credentials(server, CI_ROLE), **mine)

    def test_the_build_publishes_and_deploys_and_again_changes_nothing(
        self, build: Callable[[], "subprocess.CompletedProcess[str]"], server: AwsServer
    ) -> None:
        for _ in range(2):
            done = build()
            assert done.returncode == 0, done.stderr
            assert done.stdout.endswith(f"exported: {DEPLOYED}\n")
            assert (versions(server), deployed(server)) == (EVERYWHERE_ONCE, [DEPLOYED])

    def test_a_destination_that_fails_stops_the_build(
        self, build: Callable[[], "subprocess.CompletedProcess[str]"], server: AwsServer
    ) -> None:
        fail_in_prod(server)
        assert (build().returncode, deployed(server)) == (7, [])


def test_the_page_speaks_of_the_roles_of_the_configuration() -> None:
    """Else the examples would not go together."""
    accounts = tomllib.loads(CONFIGURATION)["publish"]["accounts"]
    assert [account["role"] for account in accounts] == PUBLISHERS
    text = page("publish-in-ci")
    assert [role in text for role in (*PUBLISHERS, CI_ROLE)] == [True] * 3
