"""Migrations, one file for each version. A released one is never edited: it records the schema of its time."""
