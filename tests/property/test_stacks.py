"""Stacks, held to what really happens: folders unpacked over each other, and Python's own finder searching them."""

import importlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from layerkit.audit.measure import by_distribution, by_file, by_kind, without_distribution
from layerkit.audit.shadowing import shadow_findings
from layerkit.audit.stack_sizes import stack_size_findings
from layerkit.model.contents import Contents, HeldFile, Kind
from layerkit.model.finding import Severity
from layerkit.model.recipe_parts import Budget
from layerkit.model.stack import Stack
from layerkit.model.target import parse_target

SITE = "python/lib/python3.12/site-packages"
TARGET = parse_target("python3.12-x86_64")
PATHS = st.sampled_from(["a", "b", "a/x", "a/x/y", "c/d", "c/d/e", "c/f"])
FILES = st.dictionaries(PATHS, st.sampled_from([b"", b"one", b"two"]), max_size=5)
OWNERS = st.sampled_from([None, "one", "two"])
SIZES = st.integers(min_value=0, max_value=300_000_000)
SHAPES: Mapping[str, Sequence[str]] = {
    "module": ("{}.py",),
    "package": ("{}/__init__.py", "{}/own_{part}.py"),
    "namespace": ("{}/own_{part}.py",),
}


def contents(where: str, files: Mapping[str, bytes]) -> Contents:
    return Contents(
        where=where,
        zipped_bytes=0,
        unzipped_bytes=sum(map(len, files.values())),
        files=tuple(
            HeldFile(path, len(content), 0, zlib.crc32(content), 0, Kind.of(path), None)
            for path, content in files.items()
        ),
        distributions=(),
        insides=None,
    )


def stack_of(layers: Sequence[Mapping[str, bytes]]) -> Stack:
    return Stack(layers=tuple(contents(str(number), files) for number, files in enumerate(layers)))


@given(st.lists(FILES, max_size=4))
def test_the_merge_is_an_update_and_tells_all_that_it_replaced(layers: list[dict[str, bytes]]) -> None:
    left: dict[str, tuple[int, bytes]] = {}
    replaced = []
    for number, files in enumerate(layers):
        both = files.keys() & left.keys()
        replaced += [(path, number, left[path][0], files[path] != left[path][1]) for path in both]
        left |= {path: (number, content) for path, content in files.items()}
    stack = stack_of(layers)
    merged = {path: (int(held.part.where), held.file.crc32) for path, held in stack.merged().items()}
    assert merged == {path: (number, zlib.crc32(content)) for path, (number, content) in left.items()}
    told = [(each.path, int(each.by.where), int(each.of.where), each.differs) for each in stack.overwritten()]
    assert sorted(told) == sorted(replaced)


@given(st.lists(FILES, max_size=3))
@settings(max_examples=60)
def test_what_blocks_nothing_can_be_unpacked_over_each_other(layers: list[dict[str, bytes]]) -> None:
    """And where a file stands in the way of a folder, that is told."""
    layers = [without_own_blocks(files) for files in layers]
    stack = stack_of(layers)
    with TemporaryDirectory() as name:
        try:
            for files in layers:
                for path, content in files.items():
                    target = Path(name, path)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(content)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            assert stack.blocked()
            return
        assert stack.blocked() == ()
        found = {path for path in Path(name).rglob("*") if path.is_file()}
        there = {path.relative_to(name).as_posix(): zlib.crc32(path.read_bytes()) for path in found}
    assert {path: held.file.crc32 for path, held in stack.merged().items()} == there


def without_own_blocks(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Leave out the files that another one is below: no layer holds such."""
    return {path: files[path] for path in files if not any(other.startswith(f"{path}/") for other in files)}


@dataclass(frozen=True, slots=True)
class Placing:
    """A module or package of a name, in a root of a part: 0 and 1 are layers, 2 is the function."""

    part: int
    root: str
    name: str
    shape: str

    def paths(self) -> Iterator[str]:
        start = f"{self.root}/" if self.root else ""
        for path in SHAPES[self.shape]:
            yield start + path.format(self.name, part=self.part)


NAMES, EVERY_SHAPE, ROOTS = st.sampled_from("pq"), st.sampled_from([*SHAPES]), st.sampled_from(["python", SITE])
PLACINGS = st.lists(
    st.builds(Placing, st.integers(0, 1), ROOTS, NAMES, EVERY_SHAPE)
    | st.builds(Placing, st.just(2), st.just(""), NAMES, EVERY_SHAPE),
    max_size=6,
    unique_by=lambda each: (each.part, each.root, each.name),
)


@given(PLACINGS)
@settings(max_examples=150, deadline=None)
def test_exactly_what_python_does_not_find_is_told_as_hidden(placings: list[Placing]) -> None:
    parts: list[dict[str, bytes]] = [{}, {}, {}]
    for placing in placings:
        parts[placing.part] |= {path: f"{placing}".encode() for path in placing.paths()}
    stack = Stack(layers=stack_of(parts[:2]).layers, function=contents("2", parts[2]))
    with TemporaryDirectory() as name:
        root = Path(name)
        for part, files in enumerate(parts):
            for path, content in files.items():
                target = root / ("task" if part == 2 else "opt") / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
        hidden = set(hidden_from_python(root))
    findings = [each for each in shadow_findings(stack, [TARGET]) if each.severity is Severity.WARNING]
    told = {f"{'task' if is_in_function(path) else 'opt'}/{path}" for each in findings for path in each.paths}
    assert told == hidden


def is_in_function(path: str) -> bool:
    return not path.startswith("python/")


def hidden_from_python(root: Path) -> Iterator[str]:
    """Yield the files that cannot be imported as the module, or as a part of the package, of their name."""
    importlib.invalidate_caches()
    folders = [root / "task", root / "opt" / SITE, root / "opt" / "python"]
    for name in "pq":
        spec = PathFinder.find_spec(name, [str(folder) for folder in folders])
        reached = {spec.origin} if spec is not None and spec.origin else set()
        open_folders = [*(spec.submodule_search_locations or ())] if spec is not None else []
        for folder in folders:
            files = [folder / f"{name}.py", *(folder / name).glob("*.py")]
            for file in files:
                if file.exists() and str(file) not in reached and str(file.parent) not in open_folders:
                    yield file.relative_to(root).as_posix()


@given(st.lists(st.tuples(SIZES, st.integers(0, 1000), OWNERS), max_size=20))
def test_shares_of_any_sort_add_up_to_the_layer(rows: list[tuple[int, int, str | None]]) -> None:
    files = tuple(
        HeldFile(f"python/{number}.py", size, zipped, 0, 0, Kind.PYTHON, owner)
        for number, (size, zipped, owner) in enumerate(rows)
    )
    whole = sum(size for size, _, _ in rows)
    layer = Contents(where="a.zip", zipped_bytes=0, unzipped_bytes=whole, files=files, distributions=(), insides=None)
    for shares in (by_distribution(layer), by_kind(layer), by_file(layer)):
        assert sum(share.unzipped_bytes for share in shares) == whole
        assert sum(share.zipped_bytes for share in shares) == sum(zipped for _, zipped, _ in rows)
        assert sum(share.files for share in shares) == len(rows)
        assert [share.unzipped_bytes for share in shares] == sorted(
            (share.unzipped_bytes for share in shares), reverse=True
        )
    assert [file.owner for file in without_distribution(layer)] == [None] * sum(owner is None for _, _, owner in rows)


@given(st.lists(SIZES, min_size=1, max_size=5))
def test_a_stack_is_refused_exactly_from_the_byte_that_aws_refuses(sizes: list[int]) -> None:
    layers = tuple(
        Contents(where=str(number), zipped_bytes=0, unzipped_bytes=size, files=(), distributions=(), insides=None)
        for number, size in enumerate(sizes)
    )
    findings = list(stack_size_findings(Stack(layers=layers), Budget()))
    errors = [each for each in findings if each.severity is Severity.ERROR]
    assert bool(errors) is (sum(sizes) >= 262_144_000)
    alone = sum(size >= 262_144_000 for size in sizes) if len(sizes) > 1 else 0
    assert len(errors) == alone + (sum(sizes) >= 262_144_000)
    assert all("by" in each.message for each in errors)
