"""Data sets of published evaluations, read from the files as they are distributed. Nothing is downloaded."""
