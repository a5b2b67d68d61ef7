"""Reads for API and UI, by noun. Every function takes a connection in a team; none commits.

Lists are pages by key, never by offset. Statements are planned with their values in sight (the
API's connections do not prepare), so an optional filter costs nothing when it is not given.
"""
