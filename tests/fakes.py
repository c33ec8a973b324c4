"""Real implementations of the house's protocols, small enough for tests."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from layerkit.index import IndexSettings
from layerkit.sandbox.index_files import index_files
from layerkit.sandbox.local import local_runner
from layerkit.sandbox.runner import Runner


@dataclass(frozen=True, kw_only=True, slots=True)
class BareWorkshop:
    """A workshop whose tools are those of the interpreter that runs the tests: there at once, nothing is set up."""

    runner: Runner
    environment: Mapping[str, str]
    python: str = sys.executable


@contextmanager
def bare_workshop(settings: IndexSettings) -> Iterator[BareWorkshop]:
    """Work in a temporary folder of this machine, with the index settings in secret files."""
    with local_runner() as runner:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        links = f"{runner.home}/links"
        files = index_files(
            settings, environ=os.environ, secrets=runner.secrets, find_links=links, python=version, machine="x86_64"
        )
        runner.put(files.secret_files, secret=True)
        yield BareWorkshop(runner=runner, environment=files.environment)
