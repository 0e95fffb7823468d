"""Mutation testing by a seeded sample: `python3 dev.py mutants ROOM` breaks a room in 80 places and asks its tests."""
