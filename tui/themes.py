"""The dashboard's two themes: the same roles in the dark and in the light."""

from textual.theme import Theme

DARK = Theme(
    name="lablb-dark",
    dark=True,
    primary="#58a6d6",
    secondary="#8d9fb3",
    accent="#c49be8",
    success="#6fc18b",
    warning="#e3b04b",
    error="#f07178",
    foreground="#d6dee7",
    background="#0f141a",
    surface="#141b23",
    panel="#212c38",
    variables={
        "border-idle": "#34465a",
        "muted": "#8293a3",
        "chart-area": "#3f7da6",
        "footer-key-foreground": "#58a6d6",
        "footer-background": "#0f141a",
        "footer-item-background": "#0f141a",
    },
)

LIGHT = Theme(
    name="lablb-light",
    dark=False,
    primary="#1b6695",
    secondary="#566676",
    accent="#7a3fb0",
    success="#23753c",
    warning="#8f5a00",
    error="#b3261e",
    foreground="#1f2933",
    background="#f7f6f2",
    surface="#fdfcf9",
    panel="#e4e2db",
    variables={
        "border-idle": "#b9c0c6",
        "muted": "#66727e",
        "chart-area": "#4f8fb8",
        "footer-key-foreground": "#1b6695",
        "footer-background": "#f7f6f2",
        "footer-item-background": "#f7f6f2",
    },
)
