"""HTTP for the routes under /api/: requests, responses, errors, files in ranges, and the security of the server."""
