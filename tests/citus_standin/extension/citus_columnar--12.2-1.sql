/* A stand-in without columnar storage: what there is to install and to update. */
\echo Use "CREATE EXTENSION citus_columnar" to load this file. \quit
CREATE SCHEMA columnar;
