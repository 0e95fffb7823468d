"""Takes: shots of one set-up, run more than once. Found after indexing, kept in `<library>/takes`."""
