#!/bin/bash
# Read by the entrypoint of the TimescaleDB image, once, while it makes an empty database cluster.
# The sink owns its database and is no superuser.
psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\set password `cat /run/secrets/sink_database_password`
CREATE ROLE aos LOGIN PASSWORD :'password';
ALTER DATABASE aos OWNER TO aos;
SQL
