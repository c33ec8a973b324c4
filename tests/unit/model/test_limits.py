"""Sizes as people write and read them."""

import pytest

from layerkit.model.limits import UnreadableSizeError, format_mib, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("50MB", 52_428_800),
        ("250 MB", 262_144_000),
        ("120 MiB", 125_829_120),
        ("120mib", 125_829_120),
        ("1.5 MB", 1_572_864),
        ("1 KB", 1024),
        ("1 KiB", 1024),
        ("2GB", 2_147_483_648),
        ("2 GiB", 2_147_483_648),
        ("7 B", 7),
        (" 262144000 ", 262_144_000),
        ("0", 0),
        ("0.3 KB", 307),
    ],
)
def test_mb_and_mib_both_count_as_aws_does(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text",
    ["", "MB", "-5 MB", "5 TB", "5 M", "1e3", "1,5 MB", "five", "1 MB x", "٣ MB", "5\nMB 3", "9" * 40, ".5 MB", "IB"],
)
def test_what_is_no_size_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UnreadableSizeError) as caught:
        parse_size(text)
    assert caught.value.message == f"`{text}` is not a size"
    assert caught.value.exit_code == 2
    assert "120 MiB" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0.0 MiB"), (120_000_000, "114.4 MiB"), (262_144_000, "250.0 MiB"), (275_146_342, "262.4 MiB")],
)
def test_text_shows_mib_with_one_decimal(size: int, text: str) -> None:
    assert format_mib(size) == text
