"""Setup of a development environment for dev.py, in plain Python without any package."""
