"""The PostgreSQL that Headway carries along, for a machine with nothing prepared."""

from headway.pg.server import Server

__all__ = ["Server"]
