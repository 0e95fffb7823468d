"""Numbered changes of the schema, run by `db.opening` and by nothing else."""
