"""Runs that are created, and run again: what the actions of people and the questions of running tasks share."""
