"""Every key of the dashboard and what it does: the one list that footer, help and palette read."""

from textual.binding import Binding

from lab.algorithms import ALGORITHMS

_RATE = Binding.Group("rate", compact=True)

ALGORITHM_KEYS = tuple(
    Binding(str(number), f"use_algorithm('{algorithm.name}')", algorithm.title, show=False, tooltip=algorithm.summary)
    for number, algorithm in enumerate(ALGORITHMS, start=1)
)

BACKEND_KEYS = (
    Binding("down,j", "choose(1)", "next", show=False, key_display="↓ j", tooltip="Choose the next backend"),
    Binding("up", "choose(-1)", "previous", show=False, key_display="↑", tooltip="Choose the one before"),
    Binding("k", "kill_backend", "kill", tooltip="SIGKILL the chosen backend"),
    Binding("r", "restart_backend", "restart", tooltip="Start the chosen backend anew, with a new PID"),
    Binding("f", "toggle_freeze", "freeze / thaw", show=False, tooltip="SIGSTOP the chosen backend, or SIGCONT it"),
    Binding("s", "slow_backend", "slow", tooltip="Make the chosen backend slower, step by step, then as at first"),
    Binding("w", "change_weight(1)", "weight up", show=False, tooltip="Give the chosen backend more of the requests"),
    Binding(
        "W", "change_weight(-1)", "weight down", show=False, tooltip="Give the chosen backend fewer of the requests"
    ),
    Binding("d", "toggle_down", "out / in", show=False, tooltip="Take the chosen backend out of rotation, or back in"),
    Binding("b", "toggle_backup", "backup / primary", show=False, tooltip="Make the chosen backend a backup, or not"),
)

TRAFFIC_KEYS = (
    Binding("space", "toggle_traffic", "pause", tooltip="Pause or resume the lab's client"),
    Binding(
        "plus,equals_sign", "step_rate(1)", "faster", key_display="+", group=_RATE, tooltip="Raise the rate a step"
    ),
    Binding("minus", "step_rate(-1)", "slower", key_display="-", group=_RATE, tooltip="Lower the rate a step"),
    Binding("enter", "fire_once", "fire one", show=False, tooltip="Send one request now, paused or not"),
    Binding("z", "zero_counters", "zero", show=False, tooltip="Count hits, failures and latencies anew"),
)

DASHBOARD_KEYS = (
    Binding("n", "show_config", "config", tooltip="nginx's configuration, and what the last change changed"),
    Binding("question_mark,f1", "show_help", "help", key_display="?", tooltip="Every key, and what the columns mean"),
    Binding("ctrl+p", "app.command_palette", "palette", show=False, tooltip="Every action by name"),
    Binding("t", "app.toggle_theme", "theme", show=False, tooltip="Switch between the dark and the light theme"),
    Binding("q", "app.quit", "quit", tooltip="End every process of the lab and leave"),
)

KEYS = {
    "Algorithm": ALGORITHM_KEYS,
    "Backend": BACKEND_KEYS,
    "Traffic": TRAFFIC_KEYS,
    "Dashboard": DASHBOARD_KEYS,
}

LAB_ACTIONS = frozenset(binding.action.partition("(")[0] for binding in (*ALGORITHM_KEYS, *BACKEND_KEYS, *TRAFFIC_KEYS))
"""The actions that need a lab that runs."""
