"""Errors of the recognition package. Each message says what to do next."""

from __future__ import annotations


class RecognitionError(Exception):
    """The base of all errors of an engine.

    RecognitionError
      +- EngineUnavailable   the library of an engine is not installed, or cannot be used
      +- ModelUnusable       the files of a model are missing, damaged or not the expected ones
      +- Cancelled           the caller asked to stop
    """


class EngineUnavailable(RecognitionError):
    """The library that an engine needs is not installed, or cannot be used."""


class ModelUnusable(RecognitionError):
    """The files of a model are missing, damaged, or not the expected ones."""


class Cancelled(RecognitionError):
    """The caller asked to stop; what was returned before is complete and can be kept."""
