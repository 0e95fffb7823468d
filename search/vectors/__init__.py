"""The vector index: FAISS structures over the library's embeddings, kept up to date in files in its folder."""
