"""``headway open``: open the web interface, signed in."""

from headway import config
from headway.cli.options import Data
from headway.cli.output import line
from headway.cli.terminal import is_interactive, say


def open_(data: Data = None) -> None:
    """Print a sign-in link, and open it in the browser. The link works once."""
    import webbrowser

    from headway.client import client_of

    link = client_of(config.layout(data)).login_link()
    line(link.url)
    say(
        f"the link signs in {link.user}; it works once and expires in {link.expires_in_s // 60} minutes"
    )
    if is_interactive():
        webbrowser.open(link.url)
