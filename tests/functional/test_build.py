"""``layerkit build`` as a user meets it: exit code, stdout and stderr, held to transcripts."""

import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from layerkit import build as pipeline
from tests.servers import unused_port
from tests.workbench import TARGET, Answer, Workbench, add_sdist, add_wheel, leftovers

Run = Callable[..., Answer]
Transcript = Callable[[Answer], None]
MIB = 1 << 20
SCHEMA = json.loads(files("layerkit.model").joinpath("manifest.schema.json").read_text("utf-8"))


def held_to_schema(text: str) -> dict[str, Any]:
    """Return the JSON, which the schema allows."""
    value: dict[str, Any] = json.loads(text)
    Draft202012Validator(SCHEMA).validate(value)
    return value


def recipe(bench: Workbench, text: str, name: str = "recipe.toml") -> Path:
    (bench.work / name).write_text(text, encoding="utf-8")
    return Path(f"./{name}")


def written(bench: Workbench) -> list[str]:
    """Return the layers and manifests in the output folder."""
    return sorted(path.name for path in bench.dist.glob("*") if path.suffix != ".toml")


class TestGoodBuilds:
    def test_build_text(self, bench: Workbench, run: Run, transcript: Transcript) -> None:
        transcript(run("build", "app", *TARGET))
        assert written(bench) == ["app-python3.12-x86_64.layer.json", "app-python3.12-x86_64.zip"]

    def test_build_json(self, bench: Workbench, run: Run) -> None:
        """JSON is all that stands on stdout; what it says is what the manifest says."""
        answer = run("build", "app", *TARGET, "--json")
        assert answer.code == 0
        (layer,) = held_to_schema(answer.stdout)["layers"]
        (manifest,) = held_to_schema((bench.dist / "app-python3.12-x86_64.layer.json").read_text("utf-8"))["layers"]
        assert layer == manifest | {"path": str(Path("dist", "app-python3.12-x86_64.zip"))}
        assert [each["name"] for each in layer["distributions"]] == ["app", "dep"]
        assert (layer["builder"], layer["image"], layer["findings"]) == ("wheels", None, [])

    def test_build_quiet(self, run: Run, transcript: Transcript) -> None:
        transcript(run("build", "app", *TARGET, "--quiet"))

    def test_build_several_targets(self, run: Run, transcript: Transcript) -> None:
        targets = ("--runtime", "python3.12", "--runtime", "python3.13", "--arch", "x86_64", "--arch", "arm64")
        transcript(run("build", "app", *targets))

    def test_build_a_recipe(self, bench: Workbench, run: Run, transcript: Transcript) -> None:
        """Its lock lies beside the recipe."""
        path = recipe(bench, '[layer]\nname = "mine"\nrequirements = ["app"]\nruntimes = ["python3.13"]\n')
        transcript(run("build", path))
        assert (bench.work / "pylock.mine-py313-x86_64.toml").is_file()

    def test_build_files_only(self, bench: Workbench, run: Run, transcript: Transcript) -> None:
        """A recipe without requirements asks no index."""
        (bench.work / "bootstrap").write_text("#!/bin/sh\n", encoding="utf-8")
        text = '[layer]\nname = "custom"\nruntimes = ["provided.al2023"]\n'
        path = recipe(bench, text + '[[files]]\nsource = "bootstrap"\ntarget = "bootstrap"\nexecutable = true\n')
        transcript(run("build", path))
        assert not bench.index.requests

    def test_build_deprecated_runtime(self, run: Run, transcript: Transcript) -> None:
        transcript(run("build", "app", "--runtime", "python3.9"))

    def test_build_preview_runtime(self, run: Run, transcript: Transcript) -> None:
        transcript(run("build", "app", "--runtime", "python3.15"))

    def test_build_universal(self, run: Run, transcript: Transcript) -> None:
        transcript(run("build", "app", "--universal", "--runtime", "python3.12", "--runtime", "python3.13"))


class TestUsage:
    @pytest.mark.parametrize(
        "argv",
        [
            pytest.param(("app", "--runtime", "python4.2"), id="unknown-runtime"),
            pytest.param(("app", "--arch", "riscv64"), id="unknown-architecture"),
            pytest.param((), id="nothing"),
            pytest.param(("./nowhere",), id="no-recipe"),
            pytest.param(("not a requirement", "app=1", "dep"), id="bad-requirements"),
            pytest.param(("app", "--name", "bad.name"), id="bad-name"),
            pytest.param(("app", "--name", ""), id="empty-name"),
            pytest.param(("app", "--frobnicate"), id="unknown-option"),
            pytest.param(("app", "--builder", "magic"), id="unknown-builder"),
            pytest.param(("-r", "nowhere.txt"), id="no-file"),
            pytest.param(("app", *TARGET, "--stack", "lots"), id="bad-stack"),
            pytest.param(("app", *TARGET, "--exclude-newer", "yesterday"), id="bad-date"),
            pytest.param(("app", *TARGET, "--index-strategy", "luck"), id="bad-strategy"),
            pytest.param(("app", *TARGET, "--jobs", "0"), id="no-jobs"),
        ],
    )
    def test_usage(self, argv: tuple[str, ...], bench: Workbench, run: Run, transcript: Transcript) -> None:
        """A mistake is told with the way out; nothing is asked of the index, nothing written."""
        answer = run("build", *argv)
        transcript(answer)
        assert answer.code == 2
        assert not bench.index.requests
        assert not written(bench)

    def test_usage_recipe_mistakes(self, bench: Workbench, run: Run, transcript: Transcript) -> None:
        """Every mistake of a recipe is told at once, each with its line."""
        text = '[layer]\nname = "no.dots"\nrequirements = ["app=1"]\n'
        text += 'runtimes = ["python9"]\n[bulid]\n[budget]\nunzipped = "much"\n'
        transcript(run("build", recipe(bench, text)))

    def test_usage_recipe_syntax(self, bench: Workbench, run: Run, transcript: Transcript) -> None:
        transcript(run("build", recipe(bench, '[layer]\nname = "x\n')))

    def test_usage_recipe_and_requirement(self, bench: Workbench, run: Run, transcript: Transcript) -> None:
        transcript(run("build", recipe(bench, '[layer]\nname = "x"\nrequirements = ["app"]\n'), "dep"))

    def test_usage_one_name_for_many(self, bench: Workbench, run: Run, transcript: Transcript) -> None:
        first = recipe(bench, '[layer]\nname = "x"\nrequirements = ["app"]\n', "a.toml")
        second = recipe(bench, '[layer]\nname = "y"\nrequirements = ["app"]\n', "b.toml")
        transcript(run("build", first, second, "--name", "z"))


class TestVerdict:
    def big(self, bench: Workbench, size: int) -> None:
        zeros = {f"big/{number}.bin": bytes(size // 4) for number in range(4)}
        add_wheel(bench.shelf, "big", files={"big/__init__.py": "", **zeros})

    def test_verdict_budget(self, bench: Workbench, run: Run, transcript: Transcript) -> None:
        """Over the budget is a finding: exit 1, and the layer stays."""
        self.big(bench, 2 * MIB)
        text = (
            '[layer]\nname = "big"\nrequirements = ["big"]\nruntimes = ["python3.12"]\n[budget]\nunzipped = "1 MiB"\n'
        )
        transcript(run("build", recipe(bench, text)))
        assert len(written(bench)) == 2

    def test_verdict_too_big(self, bench: Workbench, run: Run, transcript: Transcript) -> None:
        """Over Lambda's limit nothing is written, and what an earlier build left goes."""
        assert run("build", "app", "--name", "big", *TARGET).code == 0
        self.big(bench, 251 * MIB)
        transcript(run("build", "big", *TARGET))
        assert written(bench) == []

    def test_verdict_too_big_forced(self, bench: Workbench, run: Run, transcript: Transcript) -> None:
        """``--force`` keeps the layer, and the finding stands in the manifest."""
        self.big(bench, 251 * MIB)
        transcript(run("build", "big", *TARGET, "--force"))
        assert len(written(bench)) == 2
        manifest = held_to_schema((bench.dist / "big-python3.12-x86_64.layer.json").read_text("utf-8"))
        assert [each["code"] for each in manifest["layers"][0]["findings"]] == ["size.unzipped"]

    def test_verdict_stack(self, bench: Workbench, run: Run, transcript: Transcript) -> None:
        """What else the stack holds counts: a size, a zip and a folder."""
        assert run("build", "dep", *TARGET).code == 0
        (bench.work / "code").mkdir()
        (bench.work / "code" / "lambda_function.py").write_bytes(bytes(MIB))
        beside = ("--stack", "249MB", "--stack", "dist/dep-python3.12-x86_64.zip", "--stack", "code")
        transcript(run("build", "app", *TARGET, *beside))


class TestResolution:
    def test_resolution_unknown(self, run: Run, transcript: Transcript) -> None:
        transcript(run("build", "no-such-package-anywhere", *TARGET))

    def test_resolution_no_wheel(self, bench: Workbench, run: Run, transcript: Transcript) -> None:
        """A version with wheels for other targets only says for which."""
        add_wheel(bench.shelf, "native", tags="cp313-cp313-manylinux_2_17_x86_64")
        transcript(run("build", "native", *TARGET))

    def test_resolution_conflict(self, run: Run, transcript: Transcript) -> None:
        transcript(run("build", "app", "dep<1", *TARGET))

    def test_resolution_offline(self, run: Run, transcript: Transcript) -> None:
        transcript(run("build", "app", *TARGET, "--offline"))

    def test_resolution_index_down(self, run: Run, transcript: Transcript) -> None:
        with unused_port() as port:
            answer = run("build", "app", *TARGET, "--index-url", f"http://127.0.0.1:{port}/simple")
        transcript(Answer(code=answer.code, stdout=answer.stdout, stderr=answer.stderr.replace(str(port), "PORT")))

    def test_resolution_one_of_two(self, bench: Workbench, run: Run, transcript: Transcript) -> None:
        """A target that fails does not keep the other from being built."""
        add_wheel(bench.shelf, "native", tags="cp313-cp313-manylinux_2_17_x86_64")
        transcript(run("build", "native", "--runtime", "python3.12", "--runtime", "python3.13"))
        assert len(written(bench)) == 2


class TestSdists:
    def test_sdist_pure(self, bench: Workbench, run: Run) -> None:
        """What has only an sdist is built here, and the manifest tells what from."""
        add_sdist(bench.shelf, "pure")
        answer = run("build", "pure", *TARGET, "--json")
        assert answer.code == 0, answer
        (built,) = held_to_schema(answer.stdout)["layers"][0]["distributions"]
        assert built["built_from"]["sdist"] == "pure-1.0.tar.gz"

    def test_sdist_native(self, bench: Workbench, run: Run, transcript: Transcript) -> None:
        """``auto`` names the package that needs a container, and why."""
        add_sdist(bench.shelf, "native", backend='tag = "cp312-cp312-linux_x86_64"')
        transcript(run("build", "native", *TARGET))
        assert written(bench) == []

    def test_sdist_fails(self, bench: Workbench, run: Run) -> None:
        """The last lines of a failed build are shown."""
        add_sdist(bench.shelf, "broken", backend='raise SystemExit("fatal: libfrob.h is missing")')
        answer = run("build", "broken", *TARGET)
        assert answer.code == 5
        assert "`broken` 1.0 has only an sdist" in answer.stderr
        assert "fatal: libfrob.h is missing" in answer.stderr
        assert "hint: " in answer.stderr
        assert written(bench) == []

    @pytest.mark.parametrize("how", [("--no-build",), ("--builder", "wheels")], ids=["no-build", "wheels"])
    def test_sdist_forbidden(self, how: tuple[str, ...], bench: Workbench, run: Run, transcript: Transcript) -> None:
        add_sdist(bench.shelf, "pure")
        transcript(run("build", "pure", *TARGET, *how))


class TestBuilders:
    def test_a_container_without_an_engine_tells_how_to_have_one(
        self, bench: Workbench, run: Run, transcript: Transcript
    ) -> None:
        answer = run("build", "app", *TARGET, "--builder", "container", "--image", "made.up/image:1")
        transcript(answer)
        assert answer.code == 5
        assert written(bench) == []

    def test_a_machine_that_is_not_like_the_target_is_refused(
        self, bench: Workbench, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The test's machine may be new or old, so it is made to look too new."""
        monkeypatch.setattr("layerkit.sandbox.machine._glibc", lambda: (2, 99))
        answer = run("build", "app", *TARGET, "--builder", "local")
        assert answer.code == 5
        assert "this machine has glibc 2.99, and the target's is 2.34" in answer.stderr
        assert "hint: use `--builder container`" in answer.stderr
        assert written(bench) == []


class TestInterrupted:
    def test_ctrl_c_answers_130(self, bench: Workbench, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupted(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(pipeline, "compose", interrupted)
        answer = run("build", "app", *TARGET)
        assert answer == Answer(code=130, stdout="", stderr="interrupted\n")
        assert leftovers(bench.root) == []
