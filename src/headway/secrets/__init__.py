"""Secrets: how they are encrypted, where they are kept, and who gets them."""
