"""What imports cost: CPython's lines taken out of a function's log, and added up by who brought the modules."""

import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from layerkit.cli.console import Console
from layerkit.cli.import_costs import tell_costs
from layerkit.invoke.import_costs import Cost, Owner, Part, costs_of, total_ms
from layerkit.invoke.import_log import BEGIN, HERE, READY, Import, ImportLog
from layerkit.invoke.import_owners import find_owners
from layerkit.invoke.import_profile import ImportCosts, ImportProfile
from layerkit.invoke.scenery import Parts

MARK = "MARK-"
HEADER = "import time: self [us] | cumulative | imported package\n"


def line(module: str, own: int = 1, everything: int = 1, depth: int = 0) -> str:
    """Return a line as CPython writes it (import.c)."""
    return f"import time: {own:9d} | {everything:10d} | {'':{depth * 2}}{module}\n"


def fed(*pieces: str | bytes) -> tuple[ImportLog, str]:
    """Return a log that was fed with pieces and the end, and what it passed on."""
    log = ImportLog(mark=MARK)
    passed = b"".join(log.feed(piece.encode() if isinstance(piece, str) else piece) for piece in pieces)
    return log, (passed + log.feed(b"")).decode()


STREAM = "".join(
    (
        HEADER,
        line("runpy", 5, 5),
        f"{MARK}{BEGIN}\n",
        "begun, not e",
        line("numpy.linalg", 30, 30, depth=2),
        line("numpy", 1000, 1030, depth=1),
        "nded: Größe\n",
        line("app", 7, 1037),
        f"no line's end{MARK}{READY}\n",
        line("sqlite3", 9, 9),
        "import time is money\nimport time: 12 | 13\nimport time:        1 |          1 | ",
        f"{MARK}{HERE}\n",
        "the last",
    )
)
LOG = (
    "begun, not ended: Größe\nno line's endimport time is money\nimport time: 12 | 13\n"
    "import time:        1 |          1 | the last"
)


def test_lines_are_taken_out_wherever_they_begin_and_what_is_left_is_the_functions_log() -> None:
    log, passed = fed(STREAM)
    assert passed == LOG
    assert log.init == [
        Import(module="numpy.linalg", own_us=30, all_us=30, depth=2),
        Import(module="numpy", own_us=1000, all_us=1030, depth=1),
        Import(module="app", own_us=7, all_us=1037),
    ]
    assert log.later == [Import(module="sqlite3", own_us=9, all_us=9)]
    assert (log.is_ready, log.answers) == (True, 1)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_it_does_not_matter_in_what_pieces_it_comes(size: int) -> None:
    whole = STREAM.encode()
    log, passed = fed(*(whole[at : at + size] for at in range(0, len(whole), size)))
    assert passed == LOG
    assert (log.init, log.later) == (fed(STREAM)[0].init, fed(STREAM)[0].later)


def test_what_came_before_the_functions_own_imports_is_not_counted() -> None:
    log, passed = fed(HEADER, line("json"), "warning\n", line("awslambdaric.bootstrap"))
    assert (log.init, log.later, log.is_ready, passed) == ([], [], False, "warning\n")


def test_an_unfinished_line_of_the_function_is_passed_on_at_once() -> None:
    log = ImportLog(mark=MARK)
    assert log.feed(b"working ...") == b"working ..."
    assert log.feed(b" imp") == b" "
    assert log.feed(b"ressive") == b"impressive"
    assert log.feed(b"import time: " + b"5" * 5000) == b"import time: " + b"5" * 5000


def test_a_name_that_cannot_be_decoded_is_no_problem() -> None:
    log, passed = fed(f"{MARK}{BEGIN}\n", b"import time:        -2 |          1 | \xff\n")
    assert (log.init, passed) == ([Import(module="�", own_us=-2, all_us=1)], "")


def test_marks_are_unlike_those_of_any_other_process() -> None:
    assert ImportLog().mark != ImportLog().mark


@pytest.mark.parametrize("last", [f"{MARK}{HERE}\n".encode(), b""], ids=["answered", "ended"])
def test_whoever_waits_for_an_answer_goes_on_when_it_has_come_or_nothing_more_can_come(last: bytes) -> None:
    log = ImportLog(mark=MARK)
    waiting = threading.Thread(target=log.wait_for_answer, args=(1,), kwargs={"seconds": 60})
    waiting.start()
    log.feed(last)
    waiting.join(20)
    assert not waiting.is_alive()


def test_nobody_waits_for_ever() -> None:
    ImportLog(mark=MARK).wait_for_answer(1, seconds=0.01)


class Known:
    """Knows the owners of some modules."""

    def __init__(self, **owners: str) -> None:
        self._owners = owners

    def of(self, module: str) -> Owner | None:
        name = self._owners.get(module.partition(".")[0])
        return Owner(part=Part.LAYER, name=name, version="1") if name else None


def told(costs: tuple[Cost, ...]) -> list[tuple[str, int, int, int]]:
    return [(str(cost.owner), cost.own_us, cost.all_us, cost.modules) for cost in costs]


def test_times_are_added_up_by_distribution_the_most_expensive_first() -> None:
    imports = fed(
        f"{MARK}{BEGIN}\n",
        line("numpy.core", 40, 40, depth=3),
        line("numpy", 60, 100, depth=2),
        line("pandas._libs", 20, 120, depth=1),
        line("numpy.ma", 10, 10, depth=2),
        line("pandas.core", 200, 210, depth=1),
        line("pandas", 5, 335, depth=0),
        line("numpy.random", 7, 7, depth=0),
    )[0].init
    costs = costs_of(imports, Known(pandas="pandas", numpy="numpy"))
    assert told(costs) == [("pandas 1", 225, 335, 3), ("numpy 1", 117, 117, 4)]
    assert total_ms(costs) == pytest.approx(0.342)
    assert costs[1].heaviest[:2] == (("numpy", 0.06), ("numpy.core", 0.04))


def test_a_module_that_nobody_has_counts_for_whoever_asked_for_it() -> None:
    imports = fed(
        f"{MARK}{BEGIN}\n",
        line("cupy", 3, 3, depth=2),
        line("made_up", 4, 7, depth=1),
        line("pandas", 5, 12, depth=0),
        line("app", 6, 6, depth=0),
    )[0].init
    assert told(costs_of(imports, Known(pandas="pandas"))) == [
        ("pandas 1", 12, 12, 3),
        ("the function's own code", 6, 6, 1),
    ]


def test_a_start_that_was_cut_off_has_no_outer_lines_and_is_counted_all_the_same() -> None:
    imports = [Import(module="numpy.core", own_us=5, all_us=5, depth=7)]
    assert told(costs_of(imports, Known(numpy="numpy"))) == [("numpy 1", 5, 5, 1)]


def test_only_the_heaviest_modules_are_named() -> None:
    imports = [Import(module=f"numpy.m{number}", own_us=number, all_us=number) for number in range(9)]
    (cost,) = costs_of(imports, Known(numpy="numpy"))
    assert cost.as_json() == {
        "distribution": "numpy",
        "version": "1",
        "part": "layer",
        "ms": 0.04,
        "cumulative_ms": 0.04,
        "modules": 9,
        "heaviest": [{"module": f"numpy.m{number}", "ms": round(number / 1000, 2)} for number in (8, 7, 6, 5, 4)],
    }


def write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def dist_info(name: str, version: str, *files: str) -> dict[str, str]:
    folder = f"{name}-{version}.dist-info"
    return {
        f"{folder}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{folder}/RECORD": "".join(f"{file},,\n" for file in files),
        **dict.fromkeys(files, ""),
    }


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    """Return a function's folders, in which several things have one name."""
    layer = {
        **dist_info("Six", "1.16", "six.py", "shared.py"),
        **dist_info("google-api", "2", "google/api/__init__.py", "google/api/_fast.cpython-312-x86_64-linux-gnu.so"),
        "loose/__init__.py": "",
    }
    runtime = {**dist_info("boto3", "1.42", "boto3/__init__.py", "six.py"), "bare.py": ""}
    opt = write(tmp_path / "opt", {f"python/{name}": content for name, content in layer.items()})
    other = dist_info("other", "3", "other.py")
    write(opt, {f"python/lib/python3.12/site-packages/{name}": content for name, content in other.items()})
    return Parts(
        code=write(tmp_path / "code", {"app.py": "", "shared.py": "", "google/own.py": ""}),
        opt=opt,
        bundled=write(tmp_path / "bundled", runtime),
    )


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("app", "the function's own code"),
        ("shared", "the function's own code"),
        ("six", "six 1.16"),
        ("six.moves.urllib", "six 1.16"),
        ("other", "other 3"),
        ("google.api", "google-api 2"),
        ("google.api._fast", "google-api 2"),
        ("google.own", "the function's own code"),
        ("loose", "layers, in no distribution"),
        ("boto3.missing", "boto3 1.42 (the runtime's)"),
        ("bare", "the runtime, in no distribution"),
        ("xml.etree.ElementTree", "the standard library"),
        ("_sqlite3", "the standard library"),
        ("of_that_version", "the standard library"),
        ("package_of_it.part", "the standard library"),
        ("_extension_of_it", "the standard library"),
        ("google", "None"),
        ("google.missing", "None"),
        ("nothing", "None"),
    ],
)
def test_the_first_folder_of_the_search_path_that_has_a_module_tells_whose_it_is(
    module: str, expected: str, parts: Parts, tmp_path: Path
) -> None:
    files = ("of_that_version.py", "package_of_it/__init__.py", "lib-dynload/_extension_of_it.cpython-312.so")
    library = write(tmp_path / "library", dict.fromkeys(files, ""))
    assert str(find_owners(parts, version="3.12", library=library).of(module)) == expected


def test_a_dist_info_without_metadata_is_named_by_its_folder(tmp_path: Path) -> None:
    files = dist_info("Bare-Name", "4", "bare.py")
    del files["Bare-Name-4.dist-info/METADATA"]
    code = write(tmp_path / "code", {name.replace("Bare-Name", "bare_name"): text for name, text in files.items()})
    parts = Parts(code=code, opt=tmp_path / "opt", bundled=tmp_path / "bundled")
    owner = find_owners(parts, version="3.12", library=tmp_path / "no such folder").of("bare")
    assert owner == Owner(part=Part.FUNCTION, name="bare-name", version="4")


@pytest.mark.parametrize(
    ("starts", "expected"),
    [(["failed", "ready", "ready"], 2), (["failed", "failed"], 2), (["ready", "failed"], 1)],
)
def test_the_start_that_counts_is_the_first_that_came_to_an_event(starts: list[str], expected: int) -> None:
    profile = ImportProfile(find_owners=Known)
    for number, outcome in enumerate(starts, 1):
        log = profile.begin()
        log.feed(f"{log.mark}{BEGIN}\n{line(f'app{number}')}".encode())
        if outcome == "ready":
            log.feed(f"{log.mark}{READY}\n".encode())
        profile.started(number)
    costs = profile.costs()
    assert costs.start_ms == expected
    assert costs.init[0].heaviest[0][0] == f"app{expected}"


COSTS = ImportCosts(
    init=(
        Cost(
            owner=Owner(part=Part.LAYER, name="pandas", version="3.1.1"),
            own_us=1_120_240,
            all_us=1_578_600,
            modules=297,
            heaviest=(("pandas.core.frame", 60.94),),
        ),
        Cost(owner=Owner(part=Part.FUNCTION), own_us=1_900, all_us=1_600_000, modules=1, heaviest=()),
    ),
    later=tuple(
        Cost(owner=Owner(part=Part.LAYER, name=name), own_us=1000, all_us=1000, modules=1, heaviest=())
        for name in ("one", "two", "three", "four")
    ),
    start_ms=1_700.0,
)


def test_the_table_is_aligned_and_adds_up_to_the_start(capsys: pytest.CaptureFixture[str]) -> None:
    tell_costs(COSTS, Console())
    assert capsys.readouterr().err.splitlines() == [
        "    ms  with imports  share  modules  distribution",
        "1120.2        1578.6   66 %      297  pandas 3.1.1",
        "   1.9        1600.0   <1 %        1  the function's own code",
        " 577.9                 34 %           no imports: sandbox, Python, the runtime client",
        "1700.0                100 %      298  the whole start",
        "Imported later, by the handler: 4.0 ms (one 1.0 ms, two 1.0 ms, three 1.0 ms, 1 more)",
    ]


def test_with_verbose_the_heaviest_modules_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    tell_costs(COSTS, Console(verbosity=1))
    assert capsys.readouterr().err.splitlines()[2].split() == ["60.9", "pandas.core.frame"]


def test_a_start_that_never_ended_has_no_rest(capsys: pytest.CaptureFixture[str]) -> None:
    tell_costs(ImportCosts(init=COSTS.init, later=(), start_ms=None), Console())
    assert capsys.readouterr().err.splitlines()[-1].split() == ["1122.1", "100", "%", "298", "the", "whole", "start"]
    tell_costs(ImportCosts(init=(), later=(), start_ms=None), Console())
    assert capsys.readouterr().err.splitlines()[-1].split() == ["0.0", "0", "%", "0", "the", "whole", "start"]
