"""What is so wrong that the lab can't do its work until somebody repairs it."""

from lab.models import Snapshot
from lab.states import Phase


def alarm_of(snapshot: Snapshot) -> str | None:
    """What has died, and the remedy, in a sentence; None while all is well."""
    if snapshot.phase is not Phase.RUNNING:
        return None
    if snapshot.nginx is not None and snapshot.nginx.master_pid is None:
        return "nginx is dead: R starts it again"
    if snapshot.traffic.is_dead:
        return "The lab's client is dead, so nothing is fired: R starts it again"
    return None
