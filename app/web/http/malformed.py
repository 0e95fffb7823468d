"""Malformed requests, about which the HTTP server would print tracebacks as about faults of ours."""

from __future__ import annotations

import logging


def is_worth_telling(record: logging.LogRecord) -> bool:
    """Return False for the report of a response to a request that the HTTP server itself had refused as malformed.

    That response meets a connection that is being closed. As a filter of a logger, this keeps everything else.
    """
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    return type(error).__name__ != "LocalProtocolError"
