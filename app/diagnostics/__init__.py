"""Checks of an installation and its libraries, for `prismsearch doctor`."""
