"""What the tables of a database are: columns, keys, foreign keys, and how Citus distributes them. Reads only."""

from ansible_collections.cistern.core.plugins.module_utils.citus import client as citus_sql
from ansible_collections.cistern.core.plugins.module_utils.citus import cluster as citus_cluster
from ansible_collections.cistern.core.plugins.module_utils.citus.tables.contract import Found, Have, Key, Unique

# Without the views citus_tables and citus_shards: they ask every node for sizes, and fail with it.
# The number of shards is what was asked for: a tenant that was isolated, or a shard that was split, makes more.
_TABLES = f"""
SELECT n.nspname || '.' || c.relname AS name, c.oid::bigint, pg_catalog.format('%I.%I', n.nspname, c.relname) AS quoted,
    c.relkind::text, pg_catalog.pg_relation_size(c.oid) AS bytes,
    (c.relkind = 'p' OR {citus_cluster.IDENTIFIED}) AS identified,
    (SELECT pn.nspname || '.' || pc.relname FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_class pc
        ON pc.oid = h.inhparent JOIN pg_catalog.pg_namespace pn ON pn.oid = pc.relnamespace
        WHERE h.inhrelid = c.oid AND c.relispartition) AS partition_of,
    p.partmethod::text, p.repmodel::text, p.colocationid AS colocation,
    pg_catalog.column_to_column_name(p.logicalrelid, p.partkey) AS column,
    (SELECT g.shardcount FROM pg_catalog.pg_dist_colocation g WHERE g.colocationid = p.colocationid) AS shards
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_dist_partition p ON p.logicalrelid = c.oid
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT LIKE 'pg\\_%'
    AND n.nspname NOT IN ('information_schema', 'citus', 'citus_internal', 'columnar', 'columnar_internal')
    AND NOT pg_catalog.relation_is_a_known_shard(c.oid)"""
_COLUMNS = """
SELECT attrelid::bigint AS oid, attname AS name, pg_catalog.format_type(atttypid, atttypmod) AS type
FROM pg_catalog.pg_attribute WHERE attrelid = ANY (%s::oid[]) AND attnum > 0 AND NOT attisdropped ORDER BY 1, attnum"""
_UNIQUE = """
SELECT i.indrelid::bigint AS oid, c.relname AS name, i.indisprimary AS primary, ARRAY(
    SELECT a.attname::text FROM unnest(i.indkey) WITH ORDINALITY k (number, place)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
    WHERE k.place <= i.indnkeyatts ORDER BY k.place) AS columns
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = ANY (%s::oid[]) AND (i.indisunique OR i.indisexclusion) ORDER BY 1, 3 DESC, 2"""
_FOREIGN = """
SELECT conname AS name, conrelid::bigint AS oid, confrelid::bigint AS to_oid, ARRAY(
    SELECT a.attname::text FROM unnest(conkey) WITH ORDINALITY k (number, place) JOIN pg_catalog.pg_attribute a
    ON a.attrelid = conrelid AND a.attnum = k.number ORDER BY k.place) AS columns, ARRAY(
    SELECT a.attname::text FROM unnest(confkey) WITH ORDINALITY k (number, place) JOIN pg_catalog.pg_attribute a
    ON a.attrelid = confrelid AND a.attnum = k.number ORDER BY k.place) AS to_columns
FROM pg_catalog.pg_constraint
WHERE contype = 'f' AND conparentid = 0 AND conrelid = ANY (%s::oid[]) AND confrelid = ANY (%s::oid[]) ORDER BY 2, 1"""


def observe(connection) -> Have:
    """Return {group, tables, keys}."""
    have = citus_cluster.identity(connection)
    found = citus_sql.rows(connection, _TABLES)
    tables = {row["name"]: _table(row) for row in found}
    names = {row["oid"]: row["name"] for row in found}
    numbers = list(names)
    for row in citus_sql.rows(connection, _COLUMNS, (numbers,)):
        tables[names[row["oid"]]]["columns"][row["name"]] = row["type"]
    for row in citus_sql.rows(connection, _UNIQUE, (numbers,)):
        unique: Unique = {"name": row["name"], "primary": row["primary"], "columns": row["columns"]}
        tables[names[row["oid"]]]["unique"].append(unique)
    keys: list[Key] = [
        {
            "name": row["name"],
            "table": names[row["oid"]],
            "to": names[row["to_oid"]],
            "columns": row["columns"],
            "to_columns": row["to_columns"],
        }
        for row in citus_sql.rows(connection, _FOREIGN, (numbers, numbers))
    ]
    return {**have, "tables": tables, "keys": keys}


def _table(row) -> Found:
    return {
        "oid": row["oid"],
        "quoted": row["quoted"],
        "bytes": row["bytes"],
        "identified": row["identified"],
        "partition_of": row["partition_of"],
        "colocation": row["colocation"],
        "column": row["column"],
        "shards": row["shards"],
        "kind": "table" if row["relkind"] in ("r", "p") else "other",
        "type": _type(row),
        "managed": row["partmethod"] == "n" and row["repmodel"] != "t" and row["colocation"] == 0,
        "columns": {},
        "unique": [],
    }


def _type(row):
    if row["partmethod"] is None:
        return "local"
    if row["partmethod"] != "n":
        return "distributed"
    if row["repmodel"] == "t":
        return "reference"
    return "single-shard" if row["colocation"] else "local"
