"""From a raw verifier log to a page that explains it."""
