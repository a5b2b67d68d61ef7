"""Logs in an object store: shipped while they are written, read when they are not on this machine."""
