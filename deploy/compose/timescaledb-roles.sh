#!/bin/bash
# Read by the entrypoint of the TimescaleDB image, once, while it makes an empty database cluster.
# What `aos db roles` would print, with passwords: the migrator owns the database, the writer loads
# it, the reader asks it. None is a superuser; `aos db migrate` grants the last two their rights.
psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\set migrator `cat /run/secrets/migrator_database_password`
\set writer `cat /run/secrets/sink_database_password`
\set reader `cat /run/secrets/reader_database_password`
CREATE ROLE aos_migrator LOGIN PASSWORD :'migrator';
CREATE ROLE aos_writer LOGIN PASSWORD :'writer';
CREATE ROLE aos_reader LOGIN PASSWORD :'reader';
ALTER DATABASE aos OWNER TO aos_migrator;
REVOKE TEMPORARY, CONNECT ON DATABASE aos FROM PUBLIC;
SQL
