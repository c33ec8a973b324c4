"""Runs inside a place, under its own Python (3.8 or newer), without layerkit: make a virtual environment without pip.

``python place_prepare.py FOLDER`` answers where the environment's site-packages are.
"""

import sys
import sysconfig
import venv


def main(folder):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201, D103
    venv.EnvBuilder(symlinks=True, with_pip=False).create(folder)
    scheme = "venv" if "venv" in sysconfig.get_scheme_names() else "posix_prefix"  # Debian's own default is another
    sys.stdout.write(sysconfig.get_path("purelib", scheme, {"base": folder, "platbase": folder}))


main(sys.argv[1])  # type: ignore[no-untyped-call]
