"""Commands of the shell, one module for each family."""
