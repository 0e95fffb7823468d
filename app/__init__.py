"""The user interfaces: command line, browser app, jobs. Only this package prints, exits and reads the environment."""
