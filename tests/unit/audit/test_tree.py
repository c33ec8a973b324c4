"""Files on Lambda, found through links as the kernel finds them."""

import pytest

from layerkit.audit.tree import Tree

FILES = ("/opt/lib/libx.so.1.2", "/opt/data/deep/file")


def find(path: str, links: dict[str, str]) -> str | None:
    return Tree.of([*FILES, *links], links).find(path)


@pytest.mark.parametrize(
    ("path", "links", "found"),
    [
        ("/opt/lib/libx.so.1.2", {}, "/opt/lib/libx.so.1.2"),
        ("/opt/lib/liby.so", {}, None),
        ("/opt/data/deep", {}, None),
        ("/opt/lib/libx.so.1", {"/opt/lib/libx.so.1": "libx.so.1.2"}, "/opt/lib/libx.so.1.2"),
        ("/opt/lib/libx.so.1", {"/opt/lib/libx.so.1": "/opt/lib/libx.so.1.2"}, "/opt/lib/libx.so.1.2"),
        ("/opt/lib64/libx.so.1.2", {"/opt/lib64": "lib"}, "/opt/lib/libx.so.1.2"),
        ("/opt/a/b/file", {"/opt/a": "data", "/opt/data/b": "deep"}, "/opt/data/deep/file"),
        ("/opt/lib/libx.so", {"/opt/lib/libx.so": "libx.so.1", "/opt/lib/libx.so.1": "libx.so.1.2"}, FILES[0]),
        ("/opt/lib/libz.so", {"/opt/lib/libz.so": "gone.so"}, None),
        ("/opt/lib/libz.so", {"/opt/lib/libz.so": "libz.so"}, None),
        ("/opt/x/x/x/lib/libx.so.1.2", {"/opt/x": "."}, "/opt/lib/libx.so.1.2"),
    ],
)
def test_links_lead_where_they_point(path: str, links: dict[str, str], found: str | None) -> None:
    assert find(path, links) == found


def test_what_lies_outside_of_the_stack_is_taken_to_be_there() -> None:
    assert find("/opt/lib/libz.so.1", {"/opt/lib/libz.so.1": "/usr/lib64/libz.so.1"}) == "/usr/lib64/libz.so.1"
