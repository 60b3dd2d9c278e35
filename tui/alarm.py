"""What is so wrong that the lab can't do its work until somebody repairs it."""

from lab.models import NginxView, Snapshot, TrafficView
from lab.states import Phase


def alarm_of(snapshot: Snapshot) -> str | None:
    """What has died or was stopped, and the remedy, in a sentence; None while all is well."""
    if snapshot.phase is not Phase.RUNNING:
        return None
    nginx, traffic = snapshot.nginx, snapshot.traffic
    is_nginx_dead = nginx is not None and nginx.master_pid is None
    if is_nginx_dead and traffic.is_dead:
        return "nginx and the lab's client are dead: R starts both again"
    if is_nginx_dead:
        return "nginx is dead: R starts it again"
    if traffic.is_dead:
        return "The lab's client is dead, so nothing is fired: R starts it again"
    return _stopped(nginx, traffic)


def _stopped(nginx: NginxView | None, traffic: TrafficView) -> str | None:
    if nginx is not None and nginx.stopped_pids:
        return f"nginx is stopped (SIGSTOP): kill -CONT {' '.join(map(str, nginx.stopped_pids))} lets it go on"
    if traffic.stopped_pid is not None:
        return f"The lab's client is stopped (SIGSTOP): kill -CONT {traffic.stopped_pid} lets it go on"
    return None
