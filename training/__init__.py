"""Training: heads on frozen features (`heads`), and the stages of VideoPrism on one's own clips (`stages`).

Nothing here decodes media, reads a library or prints: rows, tokens and batches of clips come from the caller. Importing
the package imports neither torch nor scikit-learn.
"""
