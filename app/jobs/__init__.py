"""Long jobs (index, export, download): processes of their own that keep a journal in the library."""
