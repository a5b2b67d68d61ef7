"""What the servers and clients of ``make test-operators`` warn of at their import is theirs to mend."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    try:
        import moto.server  # noqa: F401
        import pyftpdlib.servers  # noqa: F401
    except ImportError:  # in an environment without them, where the tests are left out
        pass
