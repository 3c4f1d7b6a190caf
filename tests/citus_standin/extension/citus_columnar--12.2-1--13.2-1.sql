\echo Use "ALTER EXTENSION citus_columnar UPDATE" to load this file. \quit
GRANT USAGE ON SCHEMA columnar TO PUBLIC;
