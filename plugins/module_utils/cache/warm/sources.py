"""Where the rows of a family come from: a file of JSON lines, or a query against PostgreSQL that can only read.

A source yields (row, position) and goes on at a position that it has yielded before. Its `digest` says whether it is
still the same.
"""

import contextlib
import hashlib
import json
import re

from ..key_patterns import Pattern

ROWS_AT_ONCE = 2000
# What psycopg2 takes for a parameter; %% is a percent sign.
PARAMETER = re.compile(r"%(?:%|\((\w+)\)s|.?)", re.DOTALL)

# Where brackets and words of a query mean nothing: its comments, texts and quoted names.
QUOTED = re.compile(
    r"""--[^\n]*|/\*.*?\*/|\be'(?:[^'\\]|\\.|'')*'|'[^']*'|"[^"]*"|\$(\w*)\$.*?\$\1\$""", re.DOTALL | re.IGNORECASE
)


class Failed(Exception):
    """A source that cannot be read, and why."""


class Gone(Failed):
    """A source that was lost while it was read: the next run goes on."""


def source_of(family, database):
    """Return the source of a family; `family["warm"]` has `path` where the file lies on this host, or `sql`."""
    warm = family["warm"]
    if warm.get("sql"):
        return Query(family, database)
    return File(warm["path"])


class File:
    """JSON lines. A position is (rows, bytes)."""

    def __init__(self, path):
        self.path = path
        try:
            self.digest = digest_of_file(path)
        except OSError as error:
            raise Failed(f"{path} cannot be read: {error.strerror}") from error

    def rows(self, position=None):
        count, offset = position or (0, 0)
        with open(self.path, "rb") as file:
            file.seek(offset)
            for line in file:
                offset += len(line)
                count += 1
                if line.isspace():
                    continue
                try:
                    row = json.loads(line)
                except ValueError as error:
                    row = Broken(f"is no JSON: {error}")
                yield row if row.__class__ is dict else _no_object(row), (count, offset)

    def count(self):
        """Return how many rows there are, and whether that is certain."""
        with open(self.path, "rb") as file:
            return sum(not line.isspace() for line in file), True


class Broken(str):
    """What stands in place of a row that cannot be read: why."""


def _no_object(row):
    return row if isinstance(row, Broken) else Broken("is no JSON object")


def digest_of_file(path):
    """Return the SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()


class Query:
    """Rows of a query. A position is (rows,); a query without an order of its own has none that could be gone on at."""

    def __init__(self, family, database):
        warm = family["warm"]
        self._names = [*Pattern(family["key"]).names, "value"]
        self._parameters = warm.get("parameters") or None
        self._database = database
        # every column as text of the server's own; what is no query alone is refused by the server at the bracket
        columns = ", ".join(f'q."{name}"::text' for name in self._names)
        self.text = f"SELECT {columns} FROM (\n{warm['sql'].strip().rstrip(';')}\n) q"
        self.can_go_on = ordered(warm["sql"])
        where = [str(database.get(key)) for key in ("host", "port", "name")]
        parts = [self.text, json.dumps(self._parameters, sort_keys=True, default=str), *where]
        self.digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def rows(self, position=None):
        done = position[0] if position and self.can_go_on else 0
        with self._connection() as connection, connection.cursor(name="cistern_cache_warm") as cursor:
            cursor.itersize = ROWS_AT_ONCE
            cursor.execute(self.text, self._parameters)
            for count, values in enumerate(cursor, 1):
                if count > done:
                    yield dict(zip(self._names, values)), (count,)

    def count(self):
        """Return how many rows the server expects, and that this is not certain."""
        with self._connection() as connection, connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (FORMAT JSON) {self.text}", self._parameters)
            return int(cursor.fetchone()[0][0]["Plan"]["Plan Rows"]), False

    @contextlib.contextmanager
    def _connection(self):
        """A connection whose transactions can only read, whatever the role may."""
        try:
            import psycopg2  # a host that fills from files has no need of it
        except ImportError as error:
            raise Failed("python3-psycopg2 is not installed on this host") from error
        database = self._database
        try:
            connection = psycopg2.connect(
                host=database["host"],
                port=database["port"],
                dbname=database["name"],
                user=database["user"],
                password=database["password"],
                sslmode=database["sslmode"],
                connect_timeout=10,
                application_name="cistern-cache-warm",
                # only where it is wanted: a root certificate makes libpq verify at `require` too
                **({"sslrootcert": database["sslrootcert"]} if database.get("sslrootcert") else {}),
            )
        except psycopg2.Error as error:
            raise Failed(f"the database at {database['host']} refuses: {sentence(error)}") from error
        try:
            connection.set_session(readonly=True, isolation_level="REPEATABLE READ")
            with connection.cursor() as cursor:
                cursor.execute("SET default_transaction_read_only = on")
                cursor.execute("SET statement_timeout = %s", (int(database["seconds"]) * 1000,))
            yield connection
        except psycopg2.OperationalError as error:
            lost = connection.closed and not getattr(error, "pgcode", None)
            raise (Gone if lost else Failed)(f"the database says: {sentence(error)}") from error
        except psycopg2.Error as error:
            raise Failed(f"the database says: {sentence(error)}") from error
        finally:
            connection.close()


def sentence(error):
    """Return what an error of the database says, on one line, without what shows the query again."""
    text = str(error).strip() or error.__class__.__name__
    return " ".join(re.split(r"\nLINE \d|\nCONTEXT|\nQUERY", text)[0].split()).rstrip(".")


def ordered(sql):
    """Whether the whole query has an ORDER BY. One in brackets orders an aggregate, a window or a part."""
    bare, depth = QUOTED.sub(" ", sql), 0
    if re.search(r"/\*|\*/|['\"]", bare):
        # comments within comments, which are not worth a parser
        return False
    for found in re.finditer(r"[()]|\border\s+by\b", bare, re.IGNORECASE):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if depth == 0 and found[0] != ")":
            return True
    return False


def parameters_of(sql):
    """Return (the names of the parameters in a query, whether it has a percent sign that is none)."""
    found = list(PARAMETER.finditer(sql))
    return [each[1] for each in found if each[1]], any(not each[1] and each[0] != "%%" for each in found)
