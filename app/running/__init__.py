"""Long jobs as processes of their own, with journals in files: they outlive the page, and every process reads them."""
