"""Checkpoint files: download, verification, memory-mapped copies, and reading them into a network."""
