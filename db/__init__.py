"""The library: one SQLite file and a folder of posters and previews. `from db.library import Library` is its interface.

Importing this package, `db.records` or `db.errors` imports neither SQLAlchemy nor numpy.
"""
