"""Whatever happens to a zip, reading it for an audit ends in contents or in a clear refusal."""

import io

from hypothesis import given, settings
from hypothesis import strategies as st

from layerkit.audit.zip_source import UnreadableLayer, read_zip
from tests.unit.audit.test_zip_source import wheel_like, zipped

GOOD = zipped(wheel_like())
CHANGES = st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=12)


@settings(max_examples=300, deadline=None)
@given(changes=CHANGES, end=st.one_of(st.none(), st.integers(0, len(GOOD))), deep=st.booleans())
def test_any_change_gives_contents_or_a_refusal(changes: list[tuple[int, int]], end: int | None, deep: bool) -> None:
    data = bytearray(GOOD)
    for at, value in changes:
        data[at] = value
    try:
        contents = read_zip(io.BytesIO(bytes(data[:end])), where="a.zip", deep=deep)
    except UnreadableLayer:
        return
    assert contents.unzipped_bytes == sum(file.unzipped_bytes for file in contents.files)
    assert {file.path for file in contents.files} >= set(contents.binaries)
