"""What we know, in one SQLite file and a folder of pictures. `from db.library import Library` is the one door.

Importing this package, `db.records` or `db.errors` imports neither SQLAlchemy nor numpy.
"""
