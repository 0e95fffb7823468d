"""Timed text in the library: its tables, the full-text indexes, and the door `library.texts`."""
