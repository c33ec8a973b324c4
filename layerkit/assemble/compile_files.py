"""Run by the target's interpreter, as a file: compile the modules of a wheel to ``.pyc`` bytes.

Reads JSON from stdin: ``files`` (path on Lambda -> where the source lies: a file, offset and length there, method of
compression as zips number it) and ``out`` (a path). Writes the pyc files one behind the other to ``out`` and prints
their lengths as JSON, ``-1`` for what does not compile. Uses nothing but the standard library of Python 3.8 and newer.
"""

import importlib.util
import json
import marshal
import sys
import warnings
import zlib

UNCHECKED_HASH = 0b01  # PEP 552: the pyc is used whatever became of the source
WITHOUT_REFERENCES = 2  # marshal's later versions write references by accident of what was compiled before


def compile_module(source: bytes, path: str) -> "bytes | None":
    """Return the bytes of a pyc file (PEP 552, unchecked hash), or ``None`` if the source does not compile."""
    try:
        code = marshal.dumps(compile(source, path, "exec", dont_inherit=True), WITHOUT_REFERENCES)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return None
    flags = UNCHECKED_HASH.to_bytes(4, "little")
    digest = importlib.util.source_hash(source)
    return importlib.util.MAGIC_NUMBER + flags + digest + code


def read_source(file: str, offset: int, length: int, method: int) -> bytes:
    """Return a module's source from where it lies."""
    with open(file, "rb") as stream:  # noqa: PTH123 -- as small as can be
        stream.seek(offset)
        data = stream.read(length)
    return zlib.decompress(data, -zlib.MAX_WBITS) if method else data


def main() -> None:
    """Do what stdin asks for."""
    order = json.load(sys.stdin)
    warnings.simplefilter("ignore")
    lengths = {}
    with open(order["out"], "wb") as out:  # noqa: PTH123 -- as small as can be
        for path, place in sorted(order["files"].items()):
            pyc = compile_module(read_source(*place), path)
            lengths[path] = -1 if pyc is None else out.write(pyc)
    json.dump(lengths, sys.stdout)


if __name__ == "__main__":
    main()
