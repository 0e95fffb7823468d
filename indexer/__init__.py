"""Indexing of folders into a library: scan, decode once, cut into shots, sample frames, encode, store."""
