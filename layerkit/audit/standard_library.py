"""The names of modules that Python itself has, in every version from 3.8 to 3.13.

What only some versions have is left out: a package of such a name is a backport, and right for the others. So are names
that begin with ``_`` and what belongs to other systems or to screens.
Source: ``sys.stdlib_module_names`` of 3.10 to 3.13; 3.8 and 3.9 have all of them.
"""

from typing import Final

STANDARD_LIBRARY_SINCE: Final = (3, 8)
_NAMES: Final = """
    abc argparse array ast asyncio atexit base64 bdb binascii bisect builtins bz2 cProfile calendar cmath cmd
    code codecs codeop collections colorsys compileall concurrent configparser contextlib contextvars copy
    copyreg csv ctypes curses dataclasses datetime dbm decimal difflib dis doctest email encodings enum errno
    faulthandler fcntl filecmp fileinput fnmatch fractions ftplib functools gc genericpath getopt getpass
    gettext glob grp gzip hashlib heapq hmac html http imaplib importlib inspect io ipaddress itertools json
    keyword linecache locale logging lzma mailbox marshal math mimetypes mmap modulefinder multiprocessing netrc
    numbers opcode operator optparse os pathlib pdb pickle pickletools pkgutil platform plistlib poplib posix
    posixpath pprint profile pstats pty pwd py_compile pyclbr pydoc pydoc_data pyexpat queue quopri random re
    readline reprlib resource rlcompleter runpy sched secrets select selectors shelve shlex shutil signal site
    smtplib socket socketserver sqlite3 ssl stat statistics string stringprep struct subprocess symtable sys
    sysconfig syslog tabnanny tarfile tempfile termios textwrap threading time timeit token tokenize trace
    traceback tracemalloc tty types typing unicodedata unittest urllib uuid venv warnings wave weakref
    webbrowser wsgiref xml xmlrpc zipapp zipfile zipimport zlib
"""
STANDARD_LIBRARY: Final = frozenset(_NAMES.split())
