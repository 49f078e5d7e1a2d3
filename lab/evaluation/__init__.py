"""Measurements that a sceptical reader can rerun, and their figures."""
