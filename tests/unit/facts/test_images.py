"""The images that wheels are built in."""

import pytest

from layerkit.facts import Architecture, runtimes
from layerkit.facts.images import builder_image, read_images
from layerkit.facts.table import FactsError, Table

GOOD = "quay.io/pypa/x@sha256:" + "0" * 64


def test_every_runtime_has_an_image_no_newer_than_its_glibc() -> None:
    levels = {"manylinux2014": (2, 17), "manylinux_2_34": (2, 34)}
    for runtime in runtimes().values():
        for architecture in runtime.architectures:
            image = builder_image(runtime.system.name, architecture)
            (level,) = [glibc for name, glibc in levels.items() if f"/{name}_{architecture.machine}@sha256:" in image]
            assert level <= runtime.glibc


@pytest.mark.parametrize("image", ["quay.io/pypa/x:latest", "quay.io/pypa/x@sha256:00", GOOD.replace("quay.io/", "")])
def test_an_image_without_a_whole_digest_is_refused(image: str) -> None:
    table = {"systems": {"AL2": {"x86_64": GOOD, "arm64": image}}}
    with pytest.raises(FactsError, match=r"systems\.AL2\.arm64"):
        read_images(Table(table, file="images.toml"))


def test_the_architectures_differ() -> None:
    assert builder_image("AL2023", Architecture.ARM64) != builder_image("AL2023", Architecture.X86_64)
