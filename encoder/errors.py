"""Errors of the encoder package. Each message says what to do next."""

from __future__ import annotations


class EncoderError(Exception):
    """The base of all errors of an encoder.

    EncoderError
      +- ModelNotFound        the weights are not on this machine and could not be fetched
      +- WeightsMismatch      the file is not the expected checkpoint (keys, shapes, checksum)
      +- EncoderUnavailable   a library or device that the encoder needs is missing
    """


class ModelNotFound(EncoderError):
    """The weights are not on this machine and could not be fetched.

    Attributes:
        advice: The other ways to get them, in one sentence; the message has the first.
    """

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice


class WeightsMismatch(EncoderError):
    """A checkpoint's keys, shapes or checksum are not what they should be."""


class EncoderUnavailable(EncoderError):
    """A library or a device that the encoder needs is missing."""
