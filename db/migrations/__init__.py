"""Numbered migrations of the schema, run only by `db.opening`."""
