"""Services used by routes and pages: proxies, examples, folder checks, caches."""
