"""/secret-keys: the master keys that wrap the keys of secrets."""

from litestar import post

from headway import wire
from headway.api.access import PLATFORM
from headway.api.context import Handed
from headway.secrets import stored
from headway.store import teams


@post("/secret-keys/rotation", status_code=200, needs=PLATFORM)
async def rotate_key(api: Handed) -> wire.Rotation:
    """Make a new master key and wrap the keys of all secrets with it, in small transactions while all goes on."""
    live = await api.door.call(teams.live, api.principal.person_id)
    key_id, count = api.secrets.rotate(), 0
    for team in live:
        door = api.door.of(team.team_id)
        while done := await door.call(stored.rewrap, api.secrets, team.team_id):
            count += done
    return wire.Rotation(key_id=key_id, rewrapped=count)


ROUTES = [rotate_key]
