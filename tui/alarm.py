"""What is so wrong that the lab can't do its work until somebody repairs it."""

from lab.models import Phase, Snapshot


def alarm_of(snapshot: Snapshot) -> str | None:
    """What has died, and the remedy, in a sentence; None while all is well.

    Of the client only a notice tells: the last one that mentions it counts.
    """
    if snapshot.phase is not Phase.RUNNING:
        return None
    if snapshot.nginx is not None and snapshot.nginx.master_pid is None:
        return "nginx is dead: R starts it again"
    about_client = [notice for notice in snapshot.notices if "lab's client" in notice]
    if about_client and " has ended" in about_client[-1]:
        return "The lab's client is dead, so nothing is fired: R starts it again"
    return None
