"""Runs inside a place, under its own Python (3.8 or newer), without layerkit: copy shared libraries that it has.

``python place_libraries.py OUT NAME…`` reads from standard input what the loader's cache has (``ldconfig -p``), looks
where the loader looks, follows links, and answers, as JSON, which names it did not find.
"""

import json
import os
import shutil
import sys

_FOLDERS = ("/usr/local/lib64", "/usr/local/lib", "/lib64", "/usr/lib64", "/lib", "/usr/lib")


def _cached(text):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
    """Return the path of each name in lines such as ``libz.so.1 (libc6,x86-64) => /lib64/libz.so.1``."""
    found = {}  # type: ignore[var-annotated]
    for line in text.splitlines():
        name, arrow, path = line.strip().partition(" => ")
        if arrow and "64" in name.partition(" ")[2]:
            found.setdefault(name.split(" ")[0], path)
    return found


def main(out, *names):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN002, ANN201, D103
    cached = _cached(sys.stdin.read())  # type: ignore[no-untyped-call]
    folders = [*filter(None, os.environ.get("LD_LIBRARY_PATH", "").split(":")), *_FOLDERS]
    missing = []
    os.makedirs(out)  # noqa: PTH103
    for name in names:
        places = [cached.get(name, ""), *(os.path.join(folder, name) for folder in folders)]  # noqa: PTH118
        found = next((path for path in places if os.path.isfile(path)), None)  # noqa: PTH113
        if found is None:
            missing.append(name)
        else:
            shutil.copyfile(found, os.path.join(out, name))  # noqa: PTH118
    sys.stdout.write(json.dumps(missing))


main(*sys.argv[1:])  # type: ignore[no-untyped-call]
