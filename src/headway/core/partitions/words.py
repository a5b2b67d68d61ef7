"""The errors of partitions."""


class BadKey(ValueError):
    """A key that a mapper cannot read or does not allow. The message says why."""


class BadMapping(ValueError):
    """A mapper that cannot be read, or that could never map anything."""
