"""A PostgreSQL server of this machine: a connection over its socket, as the OS user whose name the role has."""

import contextlib
import os
import pwd
import time

try:
    import psycopg2
    import psycopg2.extras
except ImportError:  # a fresh host in check mode: there is no server to ask yet
    psycopg2 = None  # type: ignore[assignment]

Error = psycopg2.Error if psycopg2 else RuntimeError
# Two runs at once would each plan from what the other changes. A run that was killed keeps its lock until the server
# has ended its last statement.
LOCK = "pg_catalog.hashtext('cistern')"


class Absent(Exception):
    """There is no server, database or extension yet, which is no error in a check run of the first day."""


class Busy(Exception):
    """Another run is still at work."""


@contextlib.contextmanager
def acting_as(name):
    """Be the OS user for a moment: a server knows the one that connects by his number."""
    before = os.geteuid()
    try:
        number = pwd.getpwnam(name).pw_uid
    except KeyError:
        raise Absent(f"there is no user {name} on this machine") from None
    if number == before:
        yield
        return
    try:
        os.seteuid(number)
    except PermissionError:
        raise RuntimeError(f"this has to run as root or as {name} (become: true)") from None
    try:
        yield
    finally:
        os.seteuid(before)


def connect(params):
    """Return a connection that commits each statement; `params` are those of options.CONNECTION."""
    if psycopg2 is None:
        raise Absent("python3-psycopg2 is not installed")
    socket = os.path.join(params["socket_dir"], f".s.PGSQL.{params['port']}")
    if not os.path.exists(socket):
        raise Absent(f"no server listens on port {params['port']}: there is no {socket}")
    try:
        with acting_as(params["user"]):
            connection = psycopg2.connect(
                host=params["socket_dir"],
                port=params["port"],
                dbname=params["database"],
                user=params["user"],
                connect_timeout=10,
                application_name="cistern",
                cursor_factory=psycopg2.extras.RealDictCursor,
            )
    except Error as error:
        text = sentence(error)
        if f'database "{params["database"]}" does not exist' in text:
            raise Absent(text) from error
        raise
    connection.autocommit = True
    return connection


@contextlib.contextmanager
def connected(module):
    """Connect, and keep other runs out unless this one only looks."""
    connection = connect(module.params)
    try:
        if not module.check_mode:
            take_lock(connection)
        yield connection
    finally:
        connection.close()


def rows(connection, query, parameters=None):
    """Return what a query finds, each row a dictionary."""
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return [dict(row) for row in cursor.fetchall()]


def value(connection, query, parameters=None):
    """Return the first value that a query finds, None where it finds nothing."""
    found = rows(connection, query, parameters)
    return next(iter(found[0].values())) if found else None


def run(connection, statement, parameters=None):
    """Run a statement whose result nobody reads."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def take_lock(connection, seconds=60):
    """Keep other runs out until this connection ends; raise Busy where one is still at work after so many seconds."""
    until = time.monotonic() + seconds
    while not value(connection, f"SELECT pg_catalog.pg_try_advisory_lock({LOCK})"):
        if time.monotonic() > until:
            other = rows(
                connection,
                "SELECT a.pid, left(a.query, 200) AS query, date_trunc('second', now() - a.query_start)::text AS since"
                " FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid)"
                f" WHERE l.locktype = 'advisory' AND l.granted AND l.objid::bigint = {LOCK} & 4294967295::bigint",
            )
            queries = "; ".join(f"process {each['pid']}, for {each['since']}: {each['query']}" for each in other)
            raise Busy(f"another run is still at work ({queries}); run again when it is over")
        time.sleep(1)


def sentence(error):
    """Return what a server says, with its detail and its hint, in one line."""
    queries = getattr(error, "diag", None)
    parts = (
        [queries.message_primary, queries.message_detail, queries.message_hint]
        if queries and queries.message_primary
        else []
    )
    return " ".join(" ".join(part.split()) for part in parts if part).rstrip(".") or " ".join(
        str(error).split()
    ).rstrip(".")
