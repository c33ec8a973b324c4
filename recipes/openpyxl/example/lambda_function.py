"""Make a workbook of sales, with totals that Excel computes and a chart, and read it again."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.worksheet import Worksheet

HEAD = ["Region", "Pieces", "Price", "Sales"]


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Write the event's rows to a workbook in /tmp, from where it would go to S3 or into a mail."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "sales.xlsx"
        write(path, event["title"], event["rows"])
        return read(path)


def write(path: Path, title: str, rows: list[list[Any]]) -> None:
    """Write a table with a line of totals, and a chart beside it."""
    workbook = Workbook()
    sheet = workbook.active
    sheet.title = title
    sheet.append(HEAD)
    for number, row in enumerate(rows, 2):
        sheet.append([*row, f"=B{number}*C{number}"])
    last = sheet.max_row
    sheet.append(["Total", f"=SUM(B2:B{last})", None, f"=SUM(D2:D{last})"])
    decorate(sheet)
    chart = BarChart()
    chart.title = title
    chart.add_data(Reference(sheet, min_col=4, min_row=1, max_row=last), titles_from_data=True)
    chart.set_categories(Reference(sheet, min_col=1, min_row=2, max_row=last))
    sheet.add_chart(chart, "F2")
    workbook.save(path)


def decorate(sheet: Worksheet) -> None:
    """Make head and totals bold, keep the head in sight, and show money as money."""
    for cell in (*sheet[1], *sheet[sheet.max_row]):
        cell.font = Font(bold=True)
    for cell in sheet[1]:
        cell.fill = PatternFill("solid", fgColor="DDEBF7")
    for cell in (*sheet["C"][1:], *sheet["D"][1:]):
        cell.number_format = "#,##0.00"
    sheet.freeze_panes = "A2"


def read(path: Path) -> dict[str, Any]:
    """Return what the file holds."""
    sheet = load_workbook(path).active
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    return {
        "sheet": sheet.title,
        "rows": [list(row) for row in sheet.iter_rows(values_only=True)],
        "bold": [cell.coordinate for cell in cells if cell.font.bold],
        "money": [cell.coordinate for cell in cells if cell.number_format == "#,##0.00"],
        "frozen_above": sheet.freeze_panes,
        "charts": [name for name in ZipFile(path).namelist() if name.startswith("xl/charts/")],
    }
