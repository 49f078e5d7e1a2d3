"""The data path's twin in Python, and traffic for it: no kernel, no files written."""
