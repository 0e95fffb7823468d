"""Malformed and refused requests, of which the HTTP server would print lines without end, and tracebacks of faults."""

from __future__ import annotations

import logging

_OF_EVERY_ONE = (
    "Invalid HTTP request received.",
    "Unsupported upgrade request.",
    "ASGI callable returned without completing handshake.",  # of a web socket that was refused
)


def is_worth_telling(record: logging.LogRecord) -> bool:
    """Return False for what the HTTP server says of such requests. As a filter of a logger, keep everything else.

    Of each it prints a line, so that anybody could fill the disk that keeps the log; and a traceback where the response
    to one meets a connection that is being closed.
    """
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    return type(error).__name__ != "LocalProtocolError" and record.getMessage() not in _OF_EVERY_ONE
