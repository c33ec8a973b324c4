"""Runs inside a place, under its own Python (3.8 or newer), without layerkit: build one wheel in isolation (PEP 517).

``python place_build.py SOURCE OUT`` leaves the wheel and ``build.json``, with the build requirements that were used.
All that pip and the build say is passed on.
"""

import importlib.metadata
import json
import os
import platform
import sys
from glob import glob

from build import ProjectBuilder
from build.env import DefaultIsolatedEnv
from pyproject_hooks import default_subprocess_runner


def _install(environment, requirements):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
    """Install as `build` does, but let pip be heard."""
    if requirements:
        pip = [sys.executable, "-I", "-m", "pip", "--python", environment.python_executable]
        default_subprocess_runner([*pip, "install", "--no-warn-script-location", "--no-compile", *sorted(requirements)])


def _installed(folder):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
    paths = glob(os.path.join(folder, "lib*", "python*", "site-packages"))  # noqa: PTH118, PTH207 -- starts faster
    found = importlib.metadata.distributions(path=paths)
    return sorted({"{}=={}".format(each.metadata["Name"], each.version) for each in found})


def main(source, out):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201, D103
    with DefaultIsolatedEnv(installer="pip") as environment:
        builder = ProjectBuilder.from_isolated_env(environment, source)
        _install(environment, builder.build_system_requires)  # type: ignore[no-untyped-call]
        _install(environment, builder.get_requires_for_build("wheel"))  # type: ignore[no-untyped-call]
        builder.build("wheel", out)
        report = {
            "python": platform.python_version(),
            "requirements": _installed(environment.path),  # type: ignore[no-untyped-call]
        }
    with open(os.path.join(out, "build.json"), "w", encoding="utf-8") as stream:  # noqa: PTH118, PTH123 -- starts faster
        json.dump(report, stream)


try:
    main(*sys.argv[1:])  # type: ignore[no-untyped-call]
except Exception as exc:  # noqa: BLE001 -- what was said before tells more than how this script ended
    sys.exit("error: {}".format(exc))  # noqa: UP032
