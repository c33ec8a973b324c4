"""What is read suspiciously never ends in a surprise, and what is honest is read."""

import fnmatch
import io
import zlib

from hypothesis import given
from hypothesis import strategies as st

from layerkit.assemble.globs import PathPattern
from layerkit.assemble.references import in_binary, in_source
from layerkit.formats.zip import ZipProblem, case_collisions, data_offset, read_entries, unsafe_name
from layerkit.formats.zip_writer import ZipHeader, directory, zip_size

FOLDERS = ("tests",)
NAMES = st.lists(
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\:"), min_size=1, max_size=8).filter(
        lambda part: part not in {".", ".."}
    ),
    min_size=1,
    max_size=4,
).map("/".join)


@given(st.dictionaries(NAMES, st.tuples(st.binary(max_size=50), st.booleans()), max_size=8))
def test_a_zip_that_was_written_reads_back(files: dict[str, tuple[bytes, bool]]) -> None:
    headers = [
        ZipHeader(
            name=name,
            executable=executable,
            method=0,
            crc32=zlib.crc32(content),
            compressed_bytes=len(content),
            unzipped_bytes=len(content),
        )
        for name, (content, executable) in files.items()
    ]
    data, offsets = b"", []
    for header in headers:
        offsets.append(len(data))
        data += header.local() + files[header.name][0]
    data += directory(headers, offsets, start=len(data))
    assert len(data) == zip_size(headers)
    stream = io.BytesIO(data)
    read = {}
    for entry in read_entries(stream):
        stream.seek(data_offset(stream, entry))
        read[entry.name] = (stream.read(entry.compressed_bytes), entry.mode == 0o100755)
    assert read == files


@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\5\6", b"PK\1\2", b"PK\6\7"]), st.binary(max_size=80))
def test_no_bytes_end_in_anything_but_a_zip_problem(head: bytes, signature: bytes, tail: bytes) -> None:
    stream = io.BytesIO(head + signature + tail)
    try:
        for entry in read_entries(stream):
            data_offset(stream, entry)
    except ZipProblem:
        pass


@given(NAMES)
def test_a_path_of_ordinary_parts_is_safe_and_one_that_climbs_is_not(name: str) -> None:
    assert unsafe_name(name) is None
    for bad in (f"../{name}", f"/{name}", f"{name}/..", f"{name}//x", f"a\\{name}", f"{name}\0"):
        assert unsafe_name(bad)


@given(NAMES)
def test_a_name_collides_with_its_upper_case_and_with_nothing_of_its_own(name: str) -> None:
    assert list(case_collisions([name])) == []
    if name.isascii() and name.upper() != name:
        assert list(case_collisions([name, name.upper()]))


def reference(pattern: str, path: str) -> bool:
    """Match by the definition: part by part, ``**`` for any number of parts, and a folder takes all below it."""

    def parts(wanted: list[str], given: list[str]) -> bool:
        if not wanted:
            return True
        if wanted[0] == "**":
            if len(wanted) == 1:
                return bool(given)
            return any(parts(wanted[1:], given[skip:]) for skip in range(len(given) + 1))
        return bool(given) and fnmatch.fnmatchcase(given[0], wanted[0]) and parts(wanted[1:], given[1:])

    return parts(pattern.split("/"), path.split("/"))


PIECES = st.one_of(st.just("**"), st.text("ab*?.", min_size=1, max_size=3).filter(lambda text: "**" not in text))


@given(
    st.lists(PIECES, min_size=1, max_size=4).map("/".join),
    st.lists(st.text("ab.", min_size=1, max_size=3), min_size=1, max_size=4).map("/".join),
)
def test_globs_match_what_their_definition_says(pattern: str, path: str) -> None:
    assert PathPattern(pattern).matches(path, distribution="x") == reference(pattern, path)


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_pattern_raises(pattern: str, path: str) -> None:
    assert PathPattern(pattern).matches(path, distribution="x") in {True, False}


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)), st.binary(max_size=50))
def test_references_never_raise(source: bytes, rest: bytes) -> None:
    for text in (source, source + b"\nfrom .tests import " + rest, source + b"(tests." + rest):
        in_source("pkg/mod.py", text, FOLDERS)
        in_source("pkg/tests/mod.py", text, FOLDERS)
        in_binary(text, FOLDERS)


LINES = st.lists(
    st.sampled_from(["import os", "x = 1", "# tests (", "y = (1, 2)", "'''doc'''", "if x:\n    pass", "z = '\\d'"])
)


@given(
    LINES,
    LINES,
    st.sampled_from(
        [
            "import pkg.tests",
            "from pkg import a, tests",
            "from pkg import (\n  a,  # (\n  b as c,\n  tests as d,\n)",
            "from pkg import \\\n  a, \\\n  tests",
            "from . import tests",
            "__import__('pkg.tests')",
            "import_module(\n  'pkg.tests',\n)",
            "import os; from pkg.tests import x",
        ]
    ),
    st.booleans(),
)
def test_a_planted_import_is_found_also_in_what_cannot_be_parsed(
    before: list[str], after: list[str], planted: str, broken: bool
) -> None:
    source = "\n".join([*before, planted, *after, *(["$ = not python"] * broken)])
    assert any(
        name == "pkg.tests" or name.startswith("pkg.tests.")
        for name in in_source("pkg/mod.py", source.encode(), FOLDERS)
    )
