"""The shell, the page and long jobs: parses, calls, shows. Only this room prints, exits and reads the environment."""
