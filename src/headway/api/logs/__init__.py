"""Logs of attempts as files: pieces of any size, read on threads, in bounded memory."""
