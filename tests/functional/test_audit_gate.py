"""The how-to "Gate a deploy on layer size" works as pasted: its steps are run as a CI system's shell runs them."""

import os
import re
import stat
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Final

import pytest

from tests.workbench import Workbench, add_wheel

PAGE: Final = (Path(__file__).parents[2] / "docs" / "how-to" / "gate-a-deploy-on-layer-size.md").read_text("utf-8")
FENCE: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
RECIPE: Final = '[layer]\nname = "{name}"\nrequirements = ["{name}"]\nruntimes = ["python3.12", "python3.13"]\n'
MIB: Final = 1 << 20


def block(title: str) -> str:
    """Return what stands in the first block below a title."""
    found = FENCE.search(PAGE, PAGE.index(f"## {title}\n"))
    assert found is not None
    return found[2]


def run_steps(workflow: str) -> dict[str, str]:
    """Return the shell scripts of a GitHub workflow's steps, by their names where they have any."""
    steps = re.split(r"^      - ", workflow, flags=re.MULTILINE)[1:]
    scripts = {}
    for step in steps:
        text = textwrap.dedent(f"        {step}")
        name = re.search(r"^name: (.+)$", text, re.MULTILINE)
        one_line = re.search(r"^run: ([^|\n].*)$", text, re.MULTILINE)
        several = re.search(r"^run: \|\n((?:  .*\n?)+)", text, re.MULTILINE)
        script = one_line[1] if one_line else textwrap.dedent(several[1]) if several else None
        if script is not None:
            scripts[name[1] if name else script] = script
    return scripts


@pytest.fixture
def project(bench: Workbench) -> Workbench:
    """Lay out a project as the page presupposes: recipes, and `layerkit` on the path."""
    for name in ("app", "dep"):
        recipe = bench.work / "recipes" / name / "recipe.toml"
        recipe.parent.mkdir(parents=True)
        recipe.write_text(RECIPE.format(name=name), encoding="utf-8")
    program = bench.root / "bin" / "layerkit"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m layerkit "$@"\n', encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return bench


def shell(script: str, bench: Workbench, *options: str, **changes: str) -> "subprocess.CompletedProcess[str]":
    path = os.pathsep.join([str(bench.root / "bin"), os.environ["PATH"]])
    environment = bench.settings(PATH=path, GITHUB_STEP_SUMMARY=str(bench.root / "summary.md"), **changes)
    command = ["bash", *options, "-c", script]
    return subprocess.run(command, cwd=bench.work, env=environment, capture_output=True, text=True, check=False)


def grow(bench: Workbench) -> None:
    """Release an app that is over the page's budget."""
    add_wheel(bench.shelf, "app", "2.0", files={"app/__init__.py": "", "app/data.bin": os.urandom(45 * MIB)})


class TestGitHub:
    STEPS = run_steps(block("GitHub Actions"))

    def test_the_steps_are_found(self) -> None:
        assert list(self.STEPS) == ["pip install ./layerkit", "Build", "Gate"]

    def test_layers_within_the_budget_pass_and_stand_in_the_summary(self, project: Workbench) -> None:
        for name in ("Build", "Gate"):
            done = shell(self.STEPS[name], project, "-e")
            assert done.returncode == 0, done.stderr
        summary = (project.root / "summary.md").read_text("utf-8")
        for layer in ("app", "dep"):
            for runtime in ("python3.12", "python3.13"):
                assert f"dist/{layer}-{runtime}" in summary
        assert (project.work / "layers.html").read_text("utf-8").startswith("<!doctype html>")

    def test_a_layer_over_its_budget_stops_the_job_and_stands_in_the_summary(self, project: Workbench) -> None:
        grow(project)
        assert shell(self.STEPS["Build"], project, "-e").returncode == 0
        done = shell(self.STEPS["Gate"], project, "-e")
        assert done.returncode == 1, done.stderr
        assert "over the budget of 40.0 MiB" in (project.root / "summary.md").read_text("utf-8")
        assert (project.work / "layers.html").is_file()


class TestGitLab:
    SCRIPT = "\n".join(re.findall(r"^    - (layerkit .+)$", block("GitLab CI"), re.MULTILINE))

    def test_layers_within_the_budget_pass(self, project: Workbench) -> None:
        done = shell(self.SCRIPT, project, "-e", "-o", "pipefail")
        assert done.returncode == 0, done.stderr
        assert (project.work / "layers.html").is_file()

    def test_a_layer_over_its_budget_stops_the_job_and_is_told_in_its_log(self, project: Workbench) -> None:
        grow(project)
        done = shell(self.SCRIPT, project, "-e", "-o", "pipefail")
        assert done.returncode == 1
        assert "over the budget of 40.0 MiB" in done.stdout
        assert (project.work / "layers.html").is_file()


class TestAnyShell:
    SCRIPT = block("Any shell")

    def test_layers_within_the_budget_pass(self, project: Workbench) -> None:
        done = shell(self.SCRIPT, project)
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith("fit to deploy\n")

    def test_a_layer_over_its_budget_stops_the_script(self, project: Workbench) -> None:
        grow(project)
        done = shell(self.SCRIPT, project)
        assert done.returncode == 1
        assert "fit to deploy" not in done.stdout
