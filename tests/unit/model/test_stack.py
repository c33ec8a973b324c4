"""Stacks: layers merged in order."""

import zlib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from layerkit.model.contents import Contents, HeldFile, Kind
from layerkit.model.stack import Stack

PATHS = st.sampled_from(["a", "b", "c/d", "c/e", "f/g/h"])
LAYERS = st.lists(st.dictionaries(PATHS, st.sampled_from([b"", b"one", b"two"]), max_size=5), min_size=1, max_size=4)


def layer(where: str, files: dict[str, bytes]) -> Contents:
    return Contents(
        where=where,
        zipped_bytes=0,
        unzipped_bytes=sum(map(len, files.values())),
        files=tuple(
            HeldFile(path, len(content), 0, zlib.crc32(content), 0, Kind.DATA, None) for path, content in files.items()
        ),
        distributions=(),
        insides=None,
    )


def stack(*layers: dict[str, bytes]) -> Stack:
    return Stack(layers=tuple(layer(str(number), files) for number, files in enumerate(layers)))


@given(layers=LAYERS)
def test_the_merge_is_what_unpacking_one_after_the_other_leaves(layers: list[dict[str, bytes]]) -> None:
    left: dict[str, tuple[str, bytes]] = {}
    for number, files in enumerate(layers):
        left |= {path: (str(number), content) for path, content in files.items()}
    merged = stack(*layers).merged()
    assert {path: (held.part.where, held.file.crc32) for path, held in merged.items()} == {
        path: (where, zlib.crc32(content)) for path, (where, content) in left.items()
    }


@given(layers=LAYERS)
def test_every_overwritten_file_is_told_with_both_layers(layers: list[dict[str, bytes]]) -> None:
    overwritten = stack(*layers).overwritten()
    assert len(overwritten) == sum(map(len, layers)) - len(stack(*layers).merged())
    for each in overwritten:
        by, of = int(each.by.where), int(each.of.where)
        assert by > of
        assert each.differs == (layers[by][each.path] != layers[of][each.path])


def test_what_counts_is_every_layer_unzipped_whatever_overwrites_what() -> None:
    part = stack({"a": b"12345"}, {"a": b"123"})
    whole = Stack(layers=part.layers, function=layer("function", {"a": b"1"}))
    assert (part.unzipped_bytes, whole.unzipped_bytes) == (8, 9)
    assert [each.where for each in whole.parts] == ["0", "1", "function"]


def test_unpacked_folders_agree(tmp_path: Path) -> None:
    """Really written over each other."""
    layers: list[dict[str, bytes]] = [{"x/a": b"one", "b": b"two"}, {"x/a": b"three"}, {"b": b"two", "c": b""}]
    for files in layers:
        for path, content in files.items():
            target = tmp_path / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    found = {
        path.relative_to(tmp_path).as_posix(): zlib.crc32(path.read_bytes())
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    assert {path: held.file.crc32 for path, held in stack(*layers).merged().items()} == found
