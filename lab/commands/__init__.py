"""One module per command of `lab`; each is imported only when its command runs."""
