"""A library on a PostgreSQL server: `db.server.connection.ServerDatabase` is the engine behind `db.database`."""
