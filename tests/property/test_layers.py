"""The same inputs are the same bytes, whatever the order, the clock, the umask or the cache."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from layerkit.assemble.clashes import Collision, UnportableNames
from layerkit.assemble.layout import lay_out
from layerkit.assemble.prune import plan_pruning
from layerkit.model.identity import content_digest
from layerkit.model.recipe_parts import Prune
from tests.builders import PLACEMENT, Content, contents, fragments_of, linked, make_wheel

PARTS = st.sampled_from(["a", "b", "tests", "é", "__init__.py", "mod.py", "x.pyi", "data.json"])
PATHS = st.lists(PARTS, min_size=1, max_size=3).map("/".join)
FILES = st.dictionaries(PATHS, st.sampled_from(["", "x = 1\n" * 40, "from a import tests\n", "{}"]), max_size=5)
WHEELS = st.dictionaries(st.sampled_from(["one", "two", "three"]), FILES, min_size=1, max_size=3)


@contextmanager
def surroundings(zone: str, umask: int) -> Iterator[None]:
    before, mask = os.environ.get("TZ"), os.umask(umask)
    os.environ["TZ"] = zone
    time.tzset()
    try:
        yield
    finally:
        os.umask(mask)
        os.environ.pop("TZ")
        if before is not None:
            os.environ["TZ"] = before
        time.tzset()


def built(wheels: list[Path], folder: Path, jobs: int) -> tuple[bytes, str] | str:
    """Return the zip and the content digest, or the message of the refusal."""
    try:
        path = linked(wheels, folder, jobs=jobs)
    except (Collision, UnportableNames) as exc:
        return f"{exc.message} {exc.details} {exc.hint}"
    plan = plan_pruning(fragments_of(wheels, folder / "cache"), Prune())
    return path.read_bytes(), content_digest(file.identity for file in lay_out(plan.selections, placement=PLACEMENT))


@settings(max_examples=60, deadline=None)
@given(
    WHEELS,
    st.randoms(use_true_random=False),
    st.integers(1, 4),
    st.sampled_from(["UTC", "Asia/Tokyo"]),
    st.sampled_from([0o022, 0o077]),
)
def test_zip_and_digest_are_equal_for_any_order_jobs_zone_umask_and_cache(
    by_name: dict[str, dict[str, Content]], random: "object", jobs: int, zone: str, umask: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        wheels = [make_wheel(Path(folder), name=name, files=files) for name, files in by_name.items()]
        first = built(wheels, Path(folder, "1"), 2)
        random.shuffle(wheels)  # type: ignore[attr-defined]
        with surroundings(zone, umask):
            assert built(wheels, Path(folder, "2"), jobs) == first
            assert built(wheels, Path(folder, "2"), jobs) == first


@settings(max_examples=40, deadline=None)
@given(FILES, st.randoms(use_true_random=False))
def test_the_content_is_the_same_for_any_order_of_files_in_the_wheel(
    files: dict[str, Content], random: "object"
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        order = list(files)
        random.shuffle(order)  # type: ignore[attr-defined]
        one = make_wheel(Path(folder, "a"), files=files)
        two = make_wheel(Path(folder, "b"), files={name: files[name] for name in order})
        assert built([one], Path(folder, "1"), 1) == built([two], Path(folder, "2"), 2)
        if (Path(folder) / "1" / "layer.zip").exists():
            kept = {name: text for name, text in contents(Path(folder, "1", "layer.zip")).items() if "info" not in name}
            assert set(kept) <= {f"python/{name}" for name in files}
