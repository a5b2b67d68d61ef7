"""Identity: ways to sign in, accounts and passwords. Used by the API; knows nothing of HTTP."""
