"""Exit codes of the commands, described for --help. `errors.as_command_error` assigns them to exceptions."""

from __future__ import annotations

FAILED = 1
USAGE = 2
MISSING = 3
INTERNAL = 4
INTERRUPTED = 130
SIGNALLED = 128
"""A signal that stops a command, and its number: 130 is Ctrl-C (SIGINT), 143 SIGTERM, 129 SIGHUP."""

EXIT_CODES = """\b
Exit codes:
  0    all went well
  1    done, but something failed, or nothing was found
  2    the command line cannot be understood
  3    a model, library or file that is needed is missing or cannot be used
  4    an error in prismsearch itself (--debug shows where)
  130  stopped with Ctrl-C; what was finished is kept
  143  the same, stopped by SIGTERM
  129  the same, because the terminal was closed (SIGHUP; not under nohup)"""
