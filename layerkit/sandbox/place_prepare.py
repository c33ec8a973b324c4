"""Runs inside a place, under its own Python (3.8 or newer), without layerkit: make a virtual environment without pip.

``python prepare.py FOLDER`` answers, as JSON, where its site-packages are and which version of patchelf is on PATH.
"""

import json
import shutil
import subprocess
import sys
import sysconfig
import venv


def _patchelf():  # type: ignore[no-untyped-def] # noqa: ANN202
    path = shutil.which("patchelf")
    if path is None:
        return None
    done = subprocess.run([path, "--version"], stdout=subprocess.PIPE, check=False)
    return done.stdout.decode(errors="replace").strip().rpartition(" ")[2]


def main(folder):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201, D103
    venv.EnvBuilder(symlinks=True, with_pip=False).create(folder)
    bases = {"base": folder, "platbase": folder}
    names = sysconfig.get_scheme_names()
    scheme = "venv" if "venv" in names else "posix_prefix"  # Debian's own default is another
    answer = {"site-packages": sysconfig.get_path("purelib", scheme, bases), "patchelf": _patchelf()}  # type: ignore[no-untyped-call]
    sys.stdout.write(json.dumps(answer))


main(sys.argv[1])  # type: ignore[no-untyped-call]
