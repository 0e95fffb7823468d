"""Search: queries, ranking, the vector index over FAISS, and the map.

Importing this package imports neither FAISS nor a model; FAISS is imported when an index is opened.
"""
