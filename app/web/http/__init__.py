"""Plain HTTP: requests, answers, files in ranges, and the security of the server."""
