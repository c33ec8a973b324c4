"""How pieces of a file move closer together."""

from layerkit.assemble.strip_layout import Piece, compact, merged, overlap, strays


def piece(start: int, end: int, align: int = 1) -> Piece:
    return Piece(start=start, end=end, align=align)


def test_ranges_that_overlap_nest_or_touch_become_one_piece_with_the_largest_alignment() -> None:
    ranges = [(50, 60, 1), (0, 40, 8), (10, 20, 16), (40, 45, 2)]
    assert merged(ranges) == [piece(0, 45, 16), piece(50, 60, 1)]


def test_a_piece_moves_down_as_far_as_its_alignment_lets_it() -> None:
    layout = compact([piece(0, 0x123), piece(0x5010, 0x5020, 0x1000), piece(0x9001, 0x9002, 4)])
    assert layout.starts == [0, 0x1010, 0x1021]
    assert layout.end == 0x1022


def test_offsets_move_with_their_piece_and_those_between_go_to_the_end_of_the_piece_before() -> None:
    layout = compact([piece(0, 10), piece(100, 110)])
    assert [layout.moved(offset) for offset in (0, 10, 50, 100, 105, 110, 500)] == [0, 10, 10, 10, 15, 20, 20]


def test_overlap_is_seen_behind_a_shorter_piece() -> None:
    assert overlap([piece(0, 100), piece(10, 20)], [piece(50, 60)])
    assert overlap([piece(0, 100)], [piece(10, 20), piece(99, 200)])
    assert not overlap([piece(0, 100), piece(200, 300)], [piece(100, 200)])


def test_strays_are_what_nothing_owns_and_is_not_zero() -> None:
    view = memoryview(b"aaaa" + bytes(70_000) + b"b" + b"cccc" + b"dd")
    assert list(strays(view, [piece(0, 4), piece(1, 2), piece(70_005, 70_009)])) == [(4, 70_005), (70_009, 70_011)]
    assert list(strays(view[:70_004], [piece(0, 4)])) == []
