"""Routes by noun: each file ends with its ``ROUTES``."""
