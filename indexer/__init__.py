"""From folders to the library: scan, decode once, cut into shots, sample frames, encode, store."""
