"""Code shared by commands: options, messages, tables, progress, one-line errors."""
