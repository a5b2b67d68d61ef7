"""Sends outbound webhooks: a process of its own, which a scheduler starts once a team has one (ADR 65).

``follow`` writes down what is to be sent, ``sender`` sends it, ``post`` is one request.
"""
