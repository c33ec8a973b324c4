"""Build one wheel in an isolated environment (PEP 517): ``python -m layerkit.wheelhouse.isolated SOURCE OUT``.

Runs in a process of its own, so that index settings and credentials reach uv as that process's environment. Beside the
wheel it leaves ``build.json``: the interpreter and the exact build requirements that were used.
"""

import json
import platform
import sys
from pathlib import Path
from typing import Final

REPORT: Final = "build.json"

_LIST_INSTALLED: Final = """
import importlib.metadata as metadata, json
print(json.dumps(sorted(f"{found.name}=={found.version}" for found in metadata.distributions())))
"""


def main(source: Path, out: Path) -> None:
    """Build the wheel of the project in ``source`` into ``out``."""
    from build import ProjectBuilder
    from build.env import DefaultIsolatedEnv

    from layerkit.sandbox.process import run

    with DefaultIsolatedEnv(installer="uv") as environment:
        builder = ProjectBuilder.from_isolated_env(environment, source)
        environment.install(builder.build_system_requires)
        environment.install(builder.get_requires_for_build("wheel"))
        builder.build("wheel", out)
        installed = run([environment.python_executable, "-I", "-c", _LIST_INSTALLED])
    report = {"python": platform.python_version(), "requirements": json.loads(installed.stdout)}
    (out / REPORT).write_text(json.dumps(report), encoding="utf-8")


def _run(arguments: list[str]) -> None:
    """Do it, and let what the package's own build says come last, not a traceback of ours."""
    from build import BuildBackendException, BuildException, FailedProcessError

    try:
        main(Path(arguments[0]), Path(arguments[1]))
    except (BuildBackendException, BuildException, FailedProcessError) as exc:
        sys.exit(str(exc))


if __name__ == "__main__":
    _run(sys.argv[1:])
