"""The layers that audits are held against: made as other tools make them, and as people get them wrong."""

import struct
from pathlib import Path
from typing import Final

from tests.foreign.yard import Yard, write, zip_with

WEB: Final = (
    "requests==2.32.5",
    "certifi==2026.10.18",
    "charset-normalizer==3.5.2",
    "idna==3.20",
    "urllib3==2.8.0",
    "pydantic==2.12.3",
    "pydantic-core==2.41.4",
    "annotated-types==0.8.0",
    "typing-extensions==4.16.0",
    "typing-inspection==0.4.5",
)
SDK: Final = (
    "boto3==1.44.5", "botocore==1.44.5", "s3transfer==0.19.3", "jmespath==1.1.0", "urllib3==2.8.0",
    "python-dateutil==2.9.0.post0", "six==1.17.0", "setuptools==84.2.1", "typing-extensions==4.16.0",
)  # fmt: skip
PRIVATE_KEY: Final = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n"


def by_pip(yard: Yard) -> Path:
    """Zip what ``pip install --target python -r requirements.txt`` leaves, as AWS's documentation says."""
    return yard.zip_program(yard.pip_target("by-pip", *WEB), "python")


def by_sam(yard: Yard) -> Path:
    """Return a layer's folder as ``sam build`` leaves it."""
    return yard.sam_layer("by-sam", *WEB, modules={"greeting.py": 'GREETING = "hello"\n'})


def venv_whole(yard: Yard) -> Path:
    """Zip a virtual environment whole: with pip, scripts, and ``lib`` again as ``lib64``."""
    return yard.zip_program(yard.environment("venv-whole", *WEB), "python")


def private_modes(yard: Yard) -> Path:
    """Zip what a umask of 077 leaves: Lambda runs as somebody else."""
    folder = yard.uv_target("modes", "requests==2.32.5")
    return yard.zipped("private-modes", lambda path: zip_with(folder, path, mode=lambda _, mode: mode & 0o700))


def numpy_for_arm64(yard: Yard) -> Path:
    """Zip what was built on another machine than the function runs on."""
    folder = yard.uv_target("numpy-arm64", "numpy==2.4.2", target="python3.12-arm64")
    return yard.zip_program(folder)


def numpy_too_new(yard: Yard) -> Path:
    """Zip a wheel for glibc 2.28, for a runtime with glibc 2.26."""
    folder = yard.uv_target("numpy-too-new", "numpy==2.4.2", target="python3.11-x86_64", glibc="manylinux_2_28")
    return yard.zip_program(folder)


def science(yard: Yard) -> tuple[Path, ...]:
    """Return three layers, each of which fits, and which together do not."""
    parts = {
        "arrow": ("pyarrow==25.0.1",),
        "frames": ("pandas==3.1.1", "numpy==2.5.5", "python-dateutil==2.9.0.post0", "six==1.17.0"),
        "wrangler": ("awswrangler==3.17.1", "packaging==26.3", *SDK),
    }
    return tuple(yard.uv_target(name, *pins, dependencies=False) for name, pins in parts.items())


def without_python_folder(yard: Yard) -> Path:
    """Zip packages at the top."""
    folder = yard.uv_target("flat", "requests==2.32.5")
    return yard.zipped("without-python-folder", lambda path: zip_with(folder / "python", path))


def in_a_folder(yard: Yard) -> Path:
    """Zip the folder that holds ``python``, not what is in it."""
    folder = yard.uv_target("flat", "requests==2.32.5")
    return yard.zipped("in-a-folder", lambda path: zip_with(folder, path, prefix="layer/"))


def overwriting(yard: Yard) -> tuple[Path, Path, Path]:
    """Return three layers; the last brings another version of the first one's package, and other settings."""
    first = yard.uv_target("old-requests", "requests==2.31.0", "urllib3==2.8.0")
    second = write(
        yard.root / "settings", {"python/shared/__init__.py": "", "python/shared/settings.py": "LEVEL = 1\n"}
    )
    third = yard.uv_target("new-requests", "requests==2.32.5", "urllib3==2.8.0")
    settings = {"python/shared/settings.py": "LEVEL = 2\n"}
    last = yard.zipped("last", lambda path: zip_with(third, path, more=settings))
    return yard.zip_program(first), yard.zip_program(second), last


def twins(yard: Yard) -> tuple[Path, Path]:
    """Return two layers of the same packages, installed one after the other: their bytecode differs by its times."""
    other = yard.pip_target("by-pip-again", *WEB)
    return by_pip(yard), yard.zip_program(other, "python")


def shadowing_function(yard: Yard) -> tuple[Path, Path]:
    """Return a layer, and a function's code that brings an older copy of its package."""
    layer = yard.zip_program(yard.uv_target("new-requests", "requests==2.32.5", "urllib3==2.8.0"))
    old = yard.uv_target("old-idna", "idna==3.7", dependencies=False)
    handler = "import requests\n\n\ndef lambda_handler(event, context):\n    return requests.__version__\n"
    function = yard.zipped(
        "function", lambda path: zip_with(old / "python", path, more={"lambda_function.py": handler})
    )
    return layer, function


def with_secrets(yard: Yard) -> Path:
    """Zip what lay about, too."""
    secrets = {
        ".env": "PASSWORD=hunter2hunter2\n",
        "python/.netrc": "machine pypi.example login me password hunter2hunter2\n",
        "python/.aws/credentials": "[default]\naws_secret_access_key = hunter2hunter2\n",
        "python/certificates/server.key": PRIVATE_KEY,
    }
    folder = yard.uv_target("flat", "requests==2.32.5")
    return yard.zipped("with-secrets", lambda path: zip_with(folder, path, more=secrets))


def compiled_elsewhere(yard: Yard) -> Path:
    """Install for one Python with the pip of another, which compiles for its own."""
    options = ("--python-version", "3.13", "--platform", "manylinux2014_x86_64", "--only-binary=:all:")
    return yard.zip_program(yard.pip_target("compiled-elsewhere", *WEB, version="3.11", options=options), "python")


def by_macos(yard: Yard) -> Path:
    """Zip as the Finder does: resource forks and folder settings beside the files."""
    folder = yard.uv_target("flat", "requests==2.32.5")
    fork = struct.pack(">IIQQH", 0x00051607, 0x00020000, 0, 0, 0)
    names = [f"python/{path.name}" for path in sorted((folder / "python").iterdir())]
    more: dict[str, str | bytes] = {
        "python/.DS_Store": b"\0\0\0\1Bud1",
        "__MACOSX/._python": fork,
        **{f"__MACOSX/python/._{name.removeprefix('python/')}": fork for name in names},
    }
    return yard.zipped("by-macos", lambda path: zip_with(folder, path, more=more))


def half_of_the_sdk(yard: Yard) -> Path:
    """Zip botocore without boto3, as X-Ray's SDK brings it: the runtime's boto3 wants its own."""
    return yard.zip_program(yard.uv_target("half-of-the-sdk", "aws-xray-sdk==2.15.0"))


def halves(yard: Yard) -> tuple[Path, Path]:
    """Return a package in one layer, and most of what it needs in another."""
    package = yard.uv_target("requests-alone", "requests==2.32.5", dependencies=False)
    needs = yard.uv_target("most-of-its-needs", "certifi==2026.10.18", "urllib3==2.8.0", dependencies=False)
    return yard.zip_program(package), yard.zip_program(needs)


def for_another_system(yard: Yard, system: str) -> Path:
    """Install where nobody says that it is for Lambda: on a Mac, on Windows, in Alpine."""
    name, platform = {
        "macOS": ("on-a-mac", "aarch64-apple-darwin"),
        "Windows": ("on-windows", "x86_64-pc-windows-msvc"),
        "Alpine": ("in-alpine", "x86_64-unknown-linux-musl"),
    }[system]
    return yard.uv_target(name, *WEB, platform=platform)
