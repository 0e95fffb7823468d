"""The library: one SQLite file and a folder of posters and previews. Its interface is `db.library.Library`.

Importing this package, `db.records` or `db.errors` imports neither SQLAlchemy nor numpy.
"""
