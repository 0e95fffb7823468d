"""Fitting of small heads on the features of a frozen encoder.

Nothing here decodes, stores or prints: rows and tokens come as arrays, and what was fitted goes back as a head of
`encoder.heads`. Importing the package imports neither torch nor scikit-learn.
"""
