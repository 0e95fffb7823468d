"""Smart cutting: only the edges of a clip are encoded again; the rest is copied."""
