"""Recipes for what AWS's services send: their examples against moto's, and what these must show."""

import importlib
import json
import shutil
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from tests.interpreters import find_python
from tests.workbench import call

RECIPES: Final = Path(__file__).parents[2] / "recipes"
HEADER: Final = "order;position;article;pieces;price;note\n"


@pytest.fixture
def folder(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder."""
    if not find_python("3.12"):
        pytest.skip("needs Python 3.12")
    monkeypatch.delenv("PIP_CONFIG_FILE")  # where this machine's index is
    monkeypatch.setenv("LAYERKIT_CACHE_DIR", str(cache))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.interpreter
@pytest.mark.network
class TestExamples:
    @pytest.mark.usefixtures("folder")
    def test_json_objects_become_csv_objects_and_tables_are_transformed(
        self, capfd: pytest.CaptureFixture[str]
    ) -> None:
        code = _invoke(RECIPES / "json-to-csv")
        printed = capfd.readouterr()
        assert code == 0, printed.out + printed.err
        assert [line.split()[:3] for line in printed.out.splitlines()] == [
            ["ok", "json-to-csv", "(s3)"],
            ["ok", "json-to-csv", "(transform)"],
        ]

    @pytest.mark.usefixtures("folder")
    def test_rows_of_a_file_become_items_once(self, capfd: pytest.CaptureFixture[str]) -> None:
        code = _invoke(RECIPES / "csv-to-dynamodb")
        printed = capfd.readouterr()
        assert code == 0, printed.out + printed.err
        first, second = json.loads(printed.out)["files"]
        assert (first["inserted"], first["already_there"]) == (3, 1)
        assert (second["inserted"], second["already_there"]) == (0, 4)
        assert first["problems"] == second["problems"]

    @pytest.mark.usefixtures("folder")
    def test_records_of_a_stream_are_decoded_and_the_log_is_json(self, capfd: pytest.CaptureFixture[str]) -> None:
        code = _invoke(RECIPES / "kinesis-decode")
        printed = capfd.readouterr()
        assert code == 0, printed.out + printed.err
        log = [json.loads(line) for line in printed.err.splitlines() if line.startswith("{")]
        assert {line["service"] for line in log} == {"kinesis-decode"}
        assert [line["reading"]["sensor"] for line in log if line["level"] == "INFO"] == [
            "greenhouse",
            "Dachboden",
            "cellar",
        ]
        failed = [line["sequence_number"] for line in log if line["level"] == "WARNING"]
        assert [{"itemIdentifier": number} for number in failed] == json.loads(printed.out)["batchItemFailures"]
        assert len(failed) == 4

    @pytest.mark.parametrize(
        ("name", "file", "change", "complaint"),
        [
            ("kinesis-decode", "answer.json", ("588907", "0"), 'answer: .batchItemFailures[1].itemIdentifier is "49'),
            ("csv-to-dynamodb", "answer.json", ('"already_there": 4', '"already_there": 3'), "is 4, not 3"),
            ("csv-to-dynamodb", "after.json", ('"24.9"', '"24.8"'), 'services: [0].price.N is "24.9", not "24.8"'),
        ],
    )
    def test_another_answer_than_the_one_written_down_is_shown(
        self,
        name: str,
        file: str,
        change: tuple[str, str],
        complaint: str,
        folder: Path,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        recipe = _changed(name, f"example/{file}", change, folder)
        assert _invoke(recipe) == 1
        assert complaint in capfd.readouterr().err

    @pytest.mark.parametrize(
        ("name", "file", "change", "complaint"),
        [
            ("kinesis-decode", "example/lambda_function.py", ("validate=True", "validate=False"), "has 3 items, not 4"),
            (
                "csv-to-dynamodb",
                "shared/csv_import/items.py",
                ('"attribute_not_exists(id)"', '"NOT id = :id", ExpressionAttributeValues={":id": {"S": "0"}}'),
                ".inserted is 5, not 3",
            ),
            (
                "csv-to-dynamodb",
                "shared/csv_import/rows.py",
                ("strict=True)\n    while", ")\n    while"),
                "has 4 items, not 3",
            ),
            (
                "csv-to-dynamodb",
                "config/csv-import.toml",
                ('pieces = "number"', 'pieces = "text"'),
                ".inserted is 4, not 3",
            ),
        ],
    )
    def test_an_example_that_does_without_what_it_shows_fails(
        self,
        name: str,
        file: str,
        change: tuple[str, str],
        complaint: str,
        folder: Path,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        assert _invoke(_changed(name, file, change, folder)) == 1
        assert complaint in capfd.readouterr().err


class TestRowsOfFiles:
    """The code that csv-to-dynamodb's layer shares, which needs nothing but Python."""

    @pytest.fixture
    def rows(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        """Import the module, and leave neither it nor its bytecode behind."""
        monkeypatch.syspath_prepend(RECIPES / "csv-to-dynamodb/shared")
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        for name in ("csv_import", "csv_import.settings", "csv_import.rows"):
            monkeypatch.setitem(sys.modules, name, None)
            del sys.modules[name]
        return importlib.import_module("csv_import.rows")

    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            (b"", [(1, "the file has no column order, position, article, pieces, price, note")]),
            (HEADER.encode(), []),
            (b'"order\n', [(1, "the file has no column order, position, article, pieces, price, note")]),
            (b"order;position;article;pieces;price\n1;1;a;1;1\n", [(1, "the file has no column note")]),
            (HEADER.encode() + b"1;1;a;1;1;\n\xff", [(3, "the file is not UTF-8")]),
            (HEADER.encode() + b'1;1;a;1;1;"x\n2;1;a;1;1;\n', [(2, "is no CSV: unexpected end of data")]),
            (HEADER.encode() + b" ;;a;1;1;\n", [(2, "order, position is empty")]),
            (
                HEADER.encode() + b"1;1;a;1;1\n1;1;a;1;1;;\n",
                [(2, "5 cells for 6 columns"), (3, "7 cells for 6 columns")],
            ),
        ],
    )
    def test_what_is_wrong_is_told_with_its_line(
        self, content: bytes, expected: list[tuple[int, str]], rows: Any
    ) -> None:
        found = list(rows.read_rows(content, _settings(rows)))
        assert [(each.line, each.reason) for each in found] == expected

    @pytest.mark.parametrize(
        ("text", "value"),
        [("7.20", "7.2"), ("-0.50", "-0.5"), ("100", "100"), ("+3", "3"), ("9" * 38, "9" * 38), (" 1 ", "1")],
    )
    def test_a_number_is_one_however_it_is_written(self, text: str, value: str, rows: Any) -> None:
        [row] = rows.read_rows(f"{HEADER}1;1;a;{text};1;\n".encode(), _settings(rows))
        assert str(row.values["pieces"]) == value
        assert isinstance(row.values["pieces"], Decimal)

    @pytest.mark.parametrize("text", ["one", "1,5", "NaN", "Infinity", "1e3", "1_000", "٣", "--1", "."])
    def test_what_is_no_number_is_told(self, text: str, rows: Any) -> None:
        [problem] = rows.read_rows(f"{HEADER}1;1;a;{text};1;\n".encode(), _settings(rows))
        assert problem.reason == f"{text!r} is no number"

    def test_a_number_that_dynamodb_cannot_hold_is_told(self, rows: Any) -> None:
        [problem] = rows.read_rows(f"{HEADER}1;1;a;{'1' * 39};1;\n".encode(), _settings(rows))
        assert problem.reason == f"'{'1' * 39}' has more than 38 digits"

    def test_a_row_after_a_broken_one_and_further_columns_are_read(self, rows: Any) -> None:
        text = f'more;{HEADER}x;1;1;"a"b;1;1;\ny;2;1;"a;\nb";1;1;n\r\n\r\nz;3;1;c;;;\n'
        broken, good, sparse = rows.read_rows(text.encode("utf-8-sig"), _settings(rows))
        assert (broken.line, broken.reason) == (2, "is no CSV: ';' expected after '\"'")
        assert (good.line, good.values["article"], good.values["note"]) == (3, "a;\nb", "n")
        assert (sparse.line, sorted(sparse.values)) == (6, ["article", "order", "position"])

    @pytest.mark.parametrize(
        ("change", "complaint"),
        [
            (('"number"', '"nomber"'), "neither a kind nor a column: nomber"),
            (('key = ["order"', 'key = ["ordre"'), "neither a kind nor a column: ordre"),
            (("note =", "id ="), "a column is named `id`"),
        ],
    )
    def test_settings_that_cannot_be_are_refused(
        self, change: tuple[str, str], complaint: str, rows: Any, tmp_path: Path
    ) -> None:
        text = (RECIPES / "csv-to-dynamodb/config/csv-import.toml").read_text(encoding="utf-8")
        path = tmp_path / "csv-import.toml"
        path.write_text(text.replace(*change), encoding="utf-8")
        with pytest.raises(ValueError, match=rf"csv-import\.toml: {complaint}"):
            rows.Settings.load(path)


def _invoke(recipe: Path) -> int:
    return call("invoke", recipe, "--runtime", "python3.12")


def _changed(name: str, file: str, change: tuple[str, str], folder: Path) -> Path:
    """Copy a recipe, and change a file of it in the first place that reads so."""
    recipe = shutil.copytree(RECIPES / name, folder / name)
    path = recipe / file
    text = path.read_text(encoding="utf-8")
    assert change[0] in text
    path.write_text(text.replace(*change, 1), encoding="utf-8")
    return recipe


def _settings(rows: Any) -> Any:
    return rows.Settings.load(RECIPES / "csv-to-dynamodb/config/csv-import.toml")
