"""Long jobs (index, export, download): separate processes that keep a journal in the library."""
