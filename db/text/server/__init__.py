"""Full-text search of libraries on a server: the words and trigrams of FTS5, kept as tsvector with GIN indexes."""
