"""The data of the error classes, one file per category of Linux 7.3's report."""
