"""Sizes, read back from what was written."""

from hypothesis import given
from hypothesis import strategies as st

from layerkit.model.limits import format_mib, parse_size

SIZES = st.integers(min_value=0, max_value=10**14)


@given(SIZES)
def test_a_written_size_reads_back_within_the_decimal_shown(size: int) -> None:
    assert abs(parse_size(format_mib(size)) - size) <= 1_048_576 // 20 + 1


@given(SIZES)
def test_writing_what_was_read_back_changes_nothing(size: int) -> None:
    assert format_mib(parse_size(format_mib(size))) == format_mib(size)


@given(SIZES, st.sampled_from(["", " ", "  "]), st.sampled_from([("B", 1), ("KB", 1024), ("MiB", 1_048_576)]))
def test_a_whole_number_of_units_is_exact(size: int, space: str, unit: tuple[str, int]) -> None:
    assert parse_size(f"{size}{space}{unit[0]}") == size * unit[1]
