"""Who people are: ways to sign in, accounts and passwords. The API asks; nothing here knows HTTP."""
