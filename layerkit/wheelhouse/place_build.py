"""Runs inside a place, under its own Python (3.8 or newer), without layerkit: build one wheel in isolation (PEP 517).

``python place_build.py SOURCE OUT`` leaves the wheel and ``build.json``, with the build requirements that were used.
All that pip and the build say is passed on.
"""

import json
import os
import platform
import subprocess
import sys

from build import BuildBackendException, BuildException, ProjectBuilder
from build.env import DefaultIsolatedEnv

_LIST_INSTALLED = """
import importlib.metadata as metadata, json
print(json.dumps(sorted("%s==%s" % (found.metadata["Name"], found.version) for found in metadata.distributions())))
"""


def _install(environment, requirements):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
    if requirements:
        pip = [sys.executable, "-I", "-m", "pip", "--python", environment.python_executable]
        subprocess.check_call([*pip, "install", "--no-warn-script-location", "--no-compile", *sorted(requirements)])


def main(source, out):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201, D103
    with DefaultIsolatedEnv(installer="pip") as environment:
        builder = ProjectBuilder.from_isolated_env(environment, source)
        _install(environment, builder.build_system_requires)  # type: ignore[no-untyped-call]
        _install(environment, builder.get_requires_for_build("wheel"))  # type: ignore[no-untyped-call]
        builder.build("wheel", out)
        installed = subprocess.check_output([environment.python_executable, "-I", "-c", _LIST_INSTALLED])
    report = {"python": platform.python_version(), "requirements": json.loads(installed.decode())}
    with open(os.path.join(out, "build.json"), "w", encoding="utf-8") as stream:  # noqa: PTH118, PTH123 -- 3.8
        json.dump(report, stream)


try:
    main(*sys.argv[1:])  # type: ignore[no-untyped-call]
except (BuildException, BuildBackendException, subprocess.CalledProcessError) as exc:
    sys.exit(f"error: {exc}")
