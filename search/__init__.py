"""From a query to ranked hits: vectors compared by FAISS, rows brought back by the library.

Importing this package imports neither FAISS nor any model: `search.vectors.faiss_index` does when an index is opened.
"""
