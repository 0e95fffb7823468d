"""Parts that commands share: options, messages, tables, progress, errors as one line."""
