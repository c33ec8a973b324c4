# /// script
# requires-python = ">=3.11"
# dependencies = ["mysql-mimic==3.*"]
# ///
"""A server with MySQL's protocol and SQLite behind it, for as long as stdin is open: what it was asked comes last."""

import asyncio
import json
import sqlite3
import sys
import threading

from mysql_mimic import IdentityProvider, MysqlServer, NativePasswordAuthPlugin, Session, User
from mysql_mimic.results import AllowedResult
from sqlglot.expressions import Expression

PASSWORD = "a password of nobody"  # noqa: S105
STOCK = {"cup": 12, "spoon": 30, "it's \\ tea": 5}


class Shop(Session):
    """One connection; what it may ask for is what SQLite can do."""

    def __init__(self, database: sqlite3.Connection, seen: list[str]) -> None:
        super().__init__()
        self._database = database
        self._seen = seen

    async def handle_query(self, sql: str, attrs: dict[str, str]) -> AllowedResult:
        """Note what is asked, and end transactions, which the base class leaves alone."""
        if not sql.startswith("SET "):
            self._seen.append(sql)
        if sql == "COMMIT":
            self._database.commit()
        elif sql == "ROLLBACK":
            self._database.rollback()
        return await super().handle_query(sql, attrs)

    async def query(self, expression: Expression, _sql: str, _attrs: dict[str, str]) -> AllowedResult:
        """Answer what MySQL's dialect asked in SQLite's."""
        cursor = self._database.execute(expression.sql(dialect="sqlite"))
        return cursor.fetchall(), [column[0] for column in cursor.description or ()]


class OneUser(IdentityProvider):
    """Who may connect."""

    async def get_user(self, username: str) -> User | None:
        """Return the one user there is."""
        if username != "shop":
            return None
        password = NativePasswordAuthPlugin.create_auth_string(PASSWORD)
        return User(name=username, auth_string=password, auth_plugin=NativePasswordAuthPlugin.name)


def stocked() -> sqlite3.Connection:
    """Return a database with the tables in it."""
    database = sqlite3.connect(":memory:", check_same_thread=False)
    database.executescript("CREATE TABLE stock (article, pieces); CREATE TABLE sales (customer, article, pieces)")
    with database:
        database.executemany("INSERT INTO stock VALUES (?, ?)", STOCK.items())
    return database


async def started(seen: list[str]) -> MysqlServer:
    """Return a server that listens."""
    database = stocked()
    server = MysqlServer(session_factory=lambda: Shop(database, seen), identity_provider=OneUser())
    await server.start_server(host="127.0.0.1", port=0)
    return server


def main() -> None:
    """Serve until stdin ends."""
    loop, seen = asyncio.new_event_loop(), []
    server = loop.run_until_complete(started(seen))
    threading.Thread(target=loop.run_forever, daemon=True).start()
    host, port = server.sockets()[0].getsockname()
    settings = {"HOST": host, "PORT": str(port), "USER": "shop", "PASSWORD": PASSWORD, "DATABASE": "shop"}
    print(json.dumps({f"MYSQL_{name}": value for name, value in settings.items()}), flush=True)
    sys.stdin.read()
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
