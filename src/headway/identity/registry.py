"""The ways to sign in that there are, in the order in which the login page shows them: one line each."""

from headway.identity.base import SignIn
from headway.identity.directory import Directory
from headway.identity.kerberos import Kerberos
from headway.identity.ldap import Ldap
from headway.identity.link import Link
from headway.identity.oidc import Oidc
from headway.identity.password import Password
from headway.identity.passwords import Hashing
from headway.identity.proxy import Proxy
from headway.identity.settings import NONE, SignInSettings


def ways(hashing: Hashing, settings: SignInSettings = NONE) -> tuple[SignIn, ...]:
    rules = settings.rules
    directories = {
        name: Directory(name, ldap, settings.secrets.get(name))
        for name, ldap in settings.ldaps.items()
    }
    return (
        *(Oidc(name, oidc, settings.secrets[name], rules) for name, oidc in settings.oidcs.items()),
        *(Proxy(name, proxy, rules) for name, proxy in settings.proxies.items()),
        *(
            Kerberos(name, kerberos, directories[kerberos.directory], rules)
            for name, kerberos in settings.kerberoses.items()
        ),
        *(Ldap(directory, rules) for directory in directories.values()),
        Password(hashing),
        Link(),
    )
