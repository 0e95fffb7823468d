"""Evaluation of an encoder, and of this product, on labelled videos: data sets, protocols and their published figures.

The modules read and compute, and print nothing; the commands `bench`, `classify` and `probe` show what they return.
"""
