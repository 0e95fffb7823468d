"""One answer of several spaces: encoders that judge together, and quick rows beside full ones.

A *voice* is an encoder with the spaces of its rows, best first: full rows, then quick ones, which stand in for a shot
until its full row is there. Each voice judges a shot by the first of its spaces that has a row. Cosines of different
spaces are never compared: what is added, and what ranks, are strengths, which are calibrated for each space.
"""
