"""The shell, the page and long jobs: parses, calls, shows. The only room that prints, exits and reads the environment."""
