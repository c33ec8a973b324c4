"""``layerkit audit`` as a user meets it: exit code, stdout and stderr, held to transcripts."""

import json
import os
import stat
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.workbench import TARGET, Answer, Workbench, add_wheel

Run = Callable[..., Answer]
Transcript = Callable[[Answer], None]
MIB = 1 << 20
LAYER = Path("dist", "app-python3.12-x86_64.zip")


@pytest.fixture
def layer(run: Run) -> Path:
    """Build a layer of two small packages."""
    assert run("build", "app", *TARGET, "--quiet").code == 0
    return LAYER


def make_zip(path: Path, files: Mapping[str, str | bytes], *, mode: int = 0o644) -> Path:
    """Write a zip as somebody else's tool would."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            info.external_attr = (stat.S_IFREG | mode) << 16
            info.create_system = 3
            out.writestr(info, content, zipfile.ZIP_DEFLATED)
    return path


def installed(name: str, version: str, content: str = "ANSWER = 42\n") -> dict[str, str]:
    """Return what an installer leaves below ``python/``: a package and its metadata."""
    info = f"python/{name}-{version}.dist-info"
    return {
        f"python/{name}/__init__.py": content,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/RECORD": f"{name}/__init__.py,,\n{info.removeprefix('python/')}/METADATA,,\n",
    }


class TestText:
    def test_audit_text(self, layer: Path, run: Run, transcript: Transcript) -> None:
        transcript(run("audit", layer))

    def test_audit_by_file(self, layer: Path, run: Run, transcript: Transcript) -> None:
        transcript(run("audit", layer, "--by", "file", "--top", "3"))

    def test_audit_by_type(self, layer: Path, run: Run, transcript: Transcript) -> None:
        transcript(run("audit", layer, "--by", "type"))

    def test_audit_markdown(self, layer: Path, run: Run, transcript: Transcript) -> None:
        transcript(run("audit", layer, "--markdown"))

    def test_audit_stack(self, bench: Workbench, run: Run, transcript: Transcript) -> None:
        """What the last one wins, and what the function hides."""
        make_zip(bench.work / "one.zip", installed("dep", "1.0", "VERSION = 1\n"))
        make_zip(bench.work / "two.zip", installed("dep", "2.0", "VERSION = 2\n"))
        code = bench.work / "code"
        (code / "dep").mkdir(parents=True)
        (code / "dep" / "__init__.py").write_text("VERSION = 3\n", encoding="utf-8")
        (code / "app.py").write_text("import dep\n", encoding="utf-8")
        transcript(
            run("audit", "one.zip", "two.zip", "--function", "code", "--runtime", "python3.13", "--arch", "arm64")
        )

    def test_audit_of_several_targets(self, run: Run, transcript: Transcript) -> None:
        """Layers for different targets are no stack: each is judged alone."""
        run("build", "app", *TARGET, "--runtime", "python3.13", "--quiet")
        transcript(run("audit", LAYER, Path("dist", "app-python3.13-x86_64.zip")))

    def test_audit_each_on_its_own(self, layer: Path, bench: Workbench, run: Run) -> None:
        """What would overwrite each other in a stack does not where there is none."""
        (bench.work / "other.zip").write_bytes((bench.work / layer).read_bytes())
        told = json.loads(run("audit", layer, "other.zip", "--each", "--json").stdout)
        assert [stack["paths"] for stack in told["stacks"]] == [[str(layer)], ["other.zip"]]
        assert told["findings"] == []

    def test_audit_quiet_is_silent_where_all_is_well(self, layer: Path, run: Run) -> None:
        answer = run("audit", layer, "--quiet")
        assert (answer.code, answer.stdout, answer.stderr) == (0, "", "")

    def test_audit_quiet_tells_errors(self, bench: Workbench, run: Run, transcript: Transcript) -> None:
        make_zip(bench.work / "private.zip", {"python/a.py": "A = 1\n"}, mode=0o600)
        transcript(run("audit", "private.zip", "--quiet"))


class TestExitCodes:
    @pytest.mark.parametrize("report", ["in.zip", "./in.zip", "folder"])
    def test_a_report_does_not_take_the_place_of_what_is_audited(self, report: str, bench: Workbench, run: Run) -> None:
        made = make_zip(bench.work / "in.zip", {"python/a.py": "A = 1\n"})
        (bench.work / "folder").mkdir()
        before = made.read_bytes()
        answer = run("audit", "in.zip", "--report", report)
        assert (answer.code, answer.stdout, made.read_bytes()) == (2, "", before)
        assert "the report cannot be written to" in answer.stderr

    def test_one_output_has_one_form(self, layer: Path, run: Run) -> None:
        assert run("audit", layer, "--json", "--markdown").code == 2
        assert run("diff", layer, layer, "--json", "--markdown").code == 2

    def test_nothing_wrong_is_0(self, layer: Path, run: Run) -> None:
        assert run("audit", layer, "--fail-on", "warning").code == 0

    @pytest.mark.parametrize(("fail_on", "code"), [("error", 1), ("warning", 1), ("never", 0)])
    def test_errors_are_1_unless_never(self, fail_on: str, code: int, bench: Workbench, run: Run) -> None:
        make_zip(bench.work / "flat.zip", installed("dep", "1.0"), mode=0o600)
        assert run("audit", "flat.zip", "--fail-on", fail_on).code == code

    @pytest.mark.parametrize(("fail_on", "code"), [("error", 0), ("warning", 1), ("never", 0)])
    def test_warnings_are_1_where_asked(self, fail_on: str, code: int, bench: Workbench, run: Run) -> None:
        make_zip(bench.work / "leaky.zip", {"python/a.py": "A = 1\n", "python/.netrc": "machine x\n"})
        assert run("audit", "leaky.zip", "--fail-on", fail_on).code == code

    @pytest.mark.parametrize("option", ["--budget", "--budget-zipped"])
    def test_over_budget_is_1(self, option: str, layer: Path, run: Run) -> None:
        assert run("audit", layer, option, "1MiB").code == 0
        answer = run("audit", layer, option, "1000", "--json")
        assert answer.code == 1
        assert [finding["code"] for finding in json.loads(answer.stdout)["findings"]] == ["size.budget"]

    def test_over_the_limit_is_1(self, bench: Workbench, run: Run) -> None:
        """A stack is added up."""
        for name in ("one", "two"):
            make_zip(bench.work / f"{name}.zip", {f"python/{name}.bin": b"\0" * (126 * MIB)})
        answer = run("audit", "one.zip", "two.zip", "--json")
        told = json.loads(answer.stdout)
        assert [finding["code"] for finding in told["findings"]] == ["size.unzipped"]
        assert (answer.code, told["stack"]["unzipped_bytes"]) == (1, 252 * MIB)

    @pytest.mark.parametrize(
        "argv",
        [
            ("audit",),
            ("audit", "nowhere.zip"),
            ("audit", "nowhere/"),
            ("audit", "nothing.zip"),
            ("audit", "text.zip"),
            ("audit", "cut.zip"),
            ("audit", "app-1.0-py3-none-any.whl"),
            ("audit", "good.zip", "--runtime", "python9"),
            ("audit", "good.zip", "--arch", "sparc"),
            ("audit", "good.zip", "--budget", "much"),
            ("audit", "good.zip", "--fail-on", "note"),
            ("audit", "good.zip", "--by", "colour"),
            ("audit", "good.zip", "--top", "0"),
            ("audit", "good.zip", "--function-name", "orders"),
            ("audit", "arn:aws:lambda:eu-west-1:123456789012:layer:x"),
            ("audit", "arn:aws:lambda:eu-west-1:123456789012:function:x"),
            ("audit", "arn:nonsense"),
            ("diff", "good.zip"),
            ("diff", "good.zip", "nowhere.zip"),
        ],
        ids=" ".join,
    )
    def test_bad_input_is_2_and_one_clear_error(self, argv: tuple[str, ...], bench: Workbench, run: Run) -> None:
        good = make_zip(bench.work / "good.zip", {"python/a.py": "A = 1\n" * 99})
        (bench.work / "cut.zip").write_bytes(good.read_bytes()[:-30])
        (bench.work / "nothing.zip").write_bytes(b"")
        (bench.work / "text.zip").write_text("no zip at all\n", encoding="utf-8")
        add_wheel(bench.work, "app")
        answer = run(*argv)
        assert (answer.code, answer.stdout) == (2, "")
        assert answer.stderr.startswith("error: ")
        assert "Traceback" not in answer.stderr

    def test_no_credentials_is_7(self, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
            monkeypatch.setenv(name, str(tmp_path / "none"))
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        for argv in (
            ("--function-name", "orders"),
            ("--all-functions",),
            ("arn:aws:lambda:eu-west-1:123456789012:layer:x:1",),
        ):
            answer = run("audit", *argv, "--region", "eu-west-1")
            assert (answer.code, answer.stdout) == (7, ""), answer
            assert answer.stderr.startswith("error: ")


class TestStrangeZips:
    """Whatever is in a zip: findings, not a traceback."""

    def codes(self, answer: Answer) -> set[str]:
        assert answer.stderr == ""
        return {finding["code"] for finding in json.loads(answer.stdout)["findings"]}

    def test_empty(self, bench: Workbench, run: Run) -> None:
        make_zip(bench.work / "empty.zip", {})
        answer = run("audit", "empty.zip", "--json")
        assert (answer.code, self.codes(answer)) == (1, {"zip.damaged"})

    def test_names_that_climb_out(self, bench: Workbench, run: Run) -> None:
        make_zip(bench.work / "climbing.zip", {"../../etc/passwd": "x", "python/a.py": "A = 1\n"})
        answer = run("audit", "climbing.zip", "--json")
        assert (answer.code, self.codes(answer)) == (1, {"zip.unsafe-path"})

    def test_content_that_is_damaged(self, bench: Workbench, run: Run) -> None:
        path = make_zip(bench.work / "damaged.zip", {"python/a.py": "A = 1\n" * 999})
        content = bytearray(path.read_bytes())
        content[60:64] = b"\xff\xff\xff\xff"
        path.write_bytes(content)
        answer = run("audit", "damaged.zip", "--json")
        assert (answer.code, self.codes(answer)) == (1, {"zip.damaged"})

    def test_encrypted(self, bench: Workbench, run: Run) -> None:
        path = make_zip(bench.work / "secret.zip", {"python/a.py": "A = 1\n"})
        content = bytearray(path.read_bytes())
        central = content.index(b"PK\x01\x02")
        struct.pack_into("<H", content, 6, 1)
        struct.pack_into("<H", content, central + 8, 1)
        path.write_bytes(content)
        answer = run("audit", "secret.zip", "--json")
        assert answer.code in {1, 2}
        assert "encrypted" in answer.stdout + answer.stderr

    def test_a_binary_cut_short(self, bench: Workbench, run: Run) -> None:
        make_zip(bench.work / "cut.zip", {"python/a.so": b"\x7fELF\x02\x01\x01" + b"\0" * 20})
        assert self.codes(run("audit", "cut.zip", "--json")) == {"elf.unreadable"}


class TestJson:
    def test_audit_json(self, layer: Path, run: Run) -> None:
        """Bytes are exact, and distributions add up."""
        told = json.loads(run("audit", layer, "--json").stdout)
        assert (told["version"], told["findings"]) == (1, [])
        (part,) = told["layers"]
        with zipfile.ZipFile(layer) as archive:
            sizes = [info.file_size for info in archive.infolist()]
        assert (part["path"], part["zipped_bytes"]) == (str(layer), layer.stat().st_size)
        assert (part["unzipped_bytes"], part["files"]) == (sum(sizes), len(sizes))
        assert sum(each["unzipped_bytes"] for each in part["distributions"]) == sum(sizes)
        assert {each["name"]: each["version"] for each in part["distributions"]} == {"app": "1.0", "dep": "2.0"}
        assert told["stack"]["limit_bytes"] == 262_144_000
        assert told["stack"]["compatible_runtimes"] == ["python3.12"]

    def test_a_finding_says_what_where_and_how_to_mend_it(self, bench: Workbench, run: Run) -> None:
        make_zip(bench.work / "private.zip", {"python/a.py": "A = 1\n"}, mode=0o600)
        (finding,) = json.loads(run("audit", "private.zip", "--json").stdout)["findings"]
        assert (finding["code"], finding["severity"]) == ("zip.not-readable", "error")
        assert finding["where"].startswith("private.zip")
        assert finding["paths"] == ["python/a.py"]
        assert finding["message"]
        assert finding["hint"]


class TestDiff:
    def test_diff_text(self, bench: Workbench, run: Run, transcript: Transcript) -> None:
        self.two_layers(bench)
        transcript(run("diff", "old.zip", "new.zip"))

    def test_diff_markdown(self, bench: Workbench, run: Run, transcript: Transcript) -> None:
        self.two_layers(bench)
        transcript(run("diff", "old.zip", "new.zip", "--markdown"))

    def test_diff_of_a_layer_with_itself(self, layer: Path, run: Run, transcript: Transcript) -> None:
        transcript(run("diff", layer, layer))

    def two_layers(self, bench: Workbench) -> None:
        make_zip(bench.work / "old.zip", {**installed("dep", "1.0"), **installed("gone", "1.0")})
        grown = "".join(f"NUMBER_{number} = {number}\n" for number in range(9999))
        make_zip(bench.work / "new.zip", {**installed("dep", "2.0", grown), **installed("came", "0.1")})
