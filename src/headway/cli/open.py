"""``headway open``: the web interface, signed in."""

from headway import config
from headway.cli.options import Data
from headway.cli.output import line
from headway.cli.terminal import is_interactive, say


def open_(data: Data = None) -> None:
    """Print an address that signs in once, and open it in the browser."""
    import webbrowser

    from headway.client import client_of

    link = client_of(config.layout(data)).login_link()
    line(link.url)
    say(f"it signs in {link.user} once, within {link.expires_in_s // 60} minutes")
    if is_interactive():
        webbrowser.open(link.url)
