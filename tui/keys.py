"""Every key and what it does: the one list that screens, footer, help and palette read."""

from dataclasses import replace

from textual.binding import Binding

from lab.algorithms import ALGORITHMS
from tui.fault_choices import FAULT_CHOICES

_RATE = Binding.Group("rate", compact=True)
_THEME = Binding("t", "app.toggle_theme", "theme", tooltip="Switch between the dark and the light theme")
_REPAIR = Binding(
    "R", "app.repair", "repair", show=False, tooltip="Start again what has died: nginx, or the lab's client"
)
_ANYWHERE = (_THEME, _REPAIR)
"""Whatever has been opened over the dashboard."""

APP_KEYS = (Binding("ctrl+c", "quit", "quit", show=False, priority=True),)
"""Whatever screen is in front."""

ALGORITHM_KEYS = tuple(
    Binding(str(number), f"use_algorithm('{algorithm.name}')", algorithm.title, show=False, tooltip=algorithm.summary)
    for number, algorithm in enumerate(ALGORITHMS, start=1)
)

BACKEND_KEYS = (
    Binding("down,j", "choose(1)", "next", show=False, key_display="↓ j", tooltip="Choose the next backend"),
    Binding("up", "choose(-1)", "previous", show=False, key_display="↑", tooltip="Choose the one before"),
    Binding("e", "break_backend", "break it…", tooltip="All that can go wrong with the chosen backend, to choose from"),
    Binding("u", "undo_faults", "undo", tooltip="Undo the fault of the chosen backend"),
    Binding("k", "kill_backend", "kill", show=False, tooltip="SIGKILL the chosen backend"),
    Binding("r", "restart_backend", "restart", show=False, tooltip="Start the chosen backend anew, with a new PID"),
    Binding("f", "toggle_freeze", "freeze / thaw", show=False, tooltip="SIGSTOP the chosen backend, or SIGCONT it"),
    Binding(
        "s",
        "slow_backend",
        "slow",
        show=False,
        tooltip="Make the chosen backend slower, step by step, short of nginx's read timeout, then as at first",
    ),
    Binding("w", "change_weight(1)", "weight up", show=False, tooltip="Give the chosen backend more of the requests"),
    Binding(
        "W", "change_weight(-1)", "weight down", show=False, tooltip="Give the chosen backend fewer of the requests"
    ),
    Binding("d", "toggle_down", "out / in", show=False, tooltip="Take the chosen backend out of rotation, or back in"),
    Binding("b", "toggle_backup", "backup / primary", show=False, tooltip="Make the chosen backend a backup, or not"),
    Binding("a", "add_backend", "add", show=False, tooltip="Start one more backend, and put it into the upstream"),
    Binding("A", "remove_backend", "remove", show=False, tooltip="Take the chosen backend away, once it has answered"),
)

FAULT_COMMANDS = tuple(
    Binding(choice.key, f"inject('{choice.key}')", choice.name, tooltip=f"The chosen backend: {choice.does}")
    for choice in FAULT_CHOICES
)
"""Each fault by name: for the palette, and in the help with its key in the list of faults."""

NGINX_KEYS = (
    Binding("o", "edit_retry_rules", "on failure", show=False, tooltip="When nginx tries another backend"),
    _REPAIR,
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

FEED_KEYS = (
    Binding(
        "p,tab",
        "freeze_feed",
        "freeze / follow",
        show=False,
        tooltip="Hold the requests still to choose one, or follow the newest again",
    ),
    Binding(
        "slash",
        "filter_feed",
        "filter",
        show=False,
        tooltip="Only requests with all these words: port, PID, status, path, client; enter keeps the filter",
    ),
    Binding("escape", "step_back", "back", show=False, tooltip="Follow the newest; close the X-ray; clear the filter"),
)

FROZEN_KEYS = (
    Binding("up", "choose_request(-1)", "one before", show=False, tooltip="Choose the request before"),
    Binding("down", "choose_request(1)", "one after", show=False, tooltip="Choose the next request"),
    Binding("pageup", "choose_request(-10)", "ten before", show=False, tooltip="Ten requests back"),
    Binding("pagedown", "choose_request(10)", "ten after", show=False, tooltip="Ten requests on"),
    Binding(
        "enter",
        "open_request",
        "open",
        show=False,
        tooltip="What client, nginx and backends saw of the chosen request; a click on any request does the same",
    ),
)
"""They come before keys of the same name that work while the feed is not frozen."""

DASHBOARD_KEYS = (
    Binding(
        "l",
        "show_latency",
        "latency",
        tooltip="Percentiles and histograms, of all backends or of one; failures over time",
    ),
    Binding("x", "toggle_xray", "X-ray", show=False, tooltip="The algorithm's inside, by a model; the last pick, why"),
    Binding("g", "guess", "guess", show=False, tooltip="Guess whom nginx picks next; it answers, the X-ray explains"),
    Binding(
        "c", "compare", "compare", show=False, tooltip="Several algorithms on the same traffic, one after the other"
    ),
    Binding("n", "show_config", "config", tooltip="nginx's configuration, and what the last change changed"),
    Binding("question_mark,f1", "show_help", "help", key_display="?", tooltip="Every key, and what the columns mean"),
    Binding("ctrl+p", "app.command_palette", "palette", show=False, tooltip="Every action by name"),
    replace(_THEME, show=False),
    Binding("q", "app.quit", "quit", tooltip="End every process of the lab and leave"),
)

LATENCY_KEYS = (
    Binding("escape,l,q", "dismiss", "back", key_display="esc", tooltip="Back to the dashboard"),
    Binding("down,j,tab", "choose(1)", "next", key_display="↓", tooltip="Draw the next backend; a click does, too"),
    Binding("up,shift+tab", "choose(-1)", "previous", key_display="↑", tooltip="Draw the backend before"),
    Binding("plus,equals_sign,right", "zoom(1)", "zoom in", key_display="+", tooltip="A smaller part of the histogram"),
    Binding("minus,left", "zoom(-1)", "zoom out", key_display="-", tooltip="A larger part of the histogram"),
    Binding("z", "zero_counters", "zero", tooltip="Count anew"),
    *_ANYWHERE,
)

GUESS_KEYS = (
    Binding("escape,g,q", "leave", "back", key_display="esc", tooltip="Back to where you were; the client goes on"),
    Binding("1", "guess(1)", "guess", key_display="0-9", tooltip="Guess that this backend will be the next one"),
    *(Binding(str(number), f"guess({number})", "guess", show=False) for number in range(2, 10)),
    Binding("0", "guess(10)", "guess", show=False),
    Binding("h", "toggle_hints", "hints", tooltip="Show what the algorithm knows, or hide it"),
    *_ANYWHERE,
)

COMPARISON_KEYS = (
    Binding("escape,q", "leave", "back", key_display="esc", tooltip="Back to the dashboard; ends what runs, if asked"),
    Binding("c", "choose_scenario", "compare…", tooltip="Choose another scenario"),
    Binding("down,j", "scroll(1)", "down", show=False, tooltip="Further down"),
    Binding("up", "scroll(-1)", "up", show=False, tooltip="Further up"),
    Binding("pagedown", "scroll(10)", "ten down", show=False, tooltip="Ten lines down"),
    Binding("pageup", "scroll(-10)", "ten up", show=False, tooltip="Ten lines up"),
    Binding("s", "save", "save as HTML", tooltip="Write a page into the working folder"),
    *_ANYWHERE,
)

REQUEST_KEYS = (
    Binding("escape,enter,q", "dismiss", "back", key_display="esc", tooltip="Back to the dashboard"),
    *_ANYWHERE,
)

CONFIG_KEYS = (
    Binding("escape,n,q", "dismiss", "back", key_display="esc", tooltip="Back to the dashboard"),
    *_ANYWHERE,
    Binding("tab", "app.focus_next", "next text", tooltip="Scroll another one of the texts"),
)

HELP_KEYS = (
    Binding("escape,q,question_mark,f1", "dismiss", "back"),
    *_ANYWHERE,
)

_CURSOR_KEYS = (
    Binding("down,j", "choose(1)", "next"),
    Binding("up", "choose(-1)", "previous"),
    *_ANYWHERE,
)

FAULT_KIT_KEYS = (
    Binding("escape,e,q", "dismiss", "back"),
    *(Binding(choice.key, f"take('{choice.key}')", choice.name) for choice in FAULT_CHOICES),
    Binding("enter", "take", "do it"),
    Binding("u", "undo", "undo all"),
    *_CURSOR_KEYS,
)

RETRY_RULE_KEYS = (
    Binding("escape,o,q", "dismiss", "back"),
    Binding("space,enter", "toggle_rule", "toggle"),
    Binding("a", "apply", "apply"),
    *_CURSOR_KEYS,
)

SCENARIO_KEYS = (
    Binding("escape,c,q", "dismiss", "back"),
    Binding("enter", "take", "start"),
    Binding("plus,equals_sign", "lengthen(1)", "longer runs"),
    Binding("minus", "lengthen(-1)", "shorter runs"),
    *_CURSOR_KEYS,
)

KEYS = {
    "Algorithm": ALGORITHM_KEYS,
    "Backend": BACKEND_KEYS,
    "nginx": NGINX_KEYS,
    "Traffic": TRAFFIC_KEYS,
    "Requests": FEED_KEYS,
    "Requests, while frozen": FROZEN_KEYS,
    "Dashboard": DASHBOARD_KEYS,
}
"""What the dashboard binds."""

PALETTE = {**KEYS, "Break": FAULT_COMMANDS}
"""What can be had by name."""

HELP = {**KEYS, "Faults, after e": FAULT_COMMANDS, "Latency view": LATENCY_KEYS}
"""What is worth looking up: the other screens show all of their keys in the footer, or in their border."""


def action_name(binding: Binding) -> str:
    """The action that the key runs, without what it is given."""
    return binding.action.partition("(")[0]


LAB_ACTIONS = frozenset(
    ["show_latency", "toggle_xray", "guess", "compare"]
    + [action_name(binding) for bindings in PALETTE.values() for binding in bindings if bindings is not DASHBOARD_KEYS]
)
"""The actions that need a lab that runs: all that don't belong to the dashboard itself."""

FROZEN_ACTIONS = frozenset(map(action_name, FROZEN_KEYS))
"""The actions that need a feed that is frozen."""
