"""Calibration of an encoder in a library: what unrelated questions and shots get, which makes cosines comparable."""
