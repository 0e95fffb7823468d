"""Work behind routes and pages: proxies, examples, folder checks, caches. Draws nothing."""
