"""A group of commands some of which are imported only when they are asked for: a start waits for its imports."""

from importlib import import_module

import click

ELSEWHERE = {"compare": "lab.comparison.command", "simulate": "lab.simulation.command"}
"""The commands that have a module of their own, under their own name."""


class LazyGroup(click.Group):
    """`click.Group`, and the commands that are elsewhere."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all, in the order of the help."""
        return sorted((*super().list_commands(ctx), *ELSEWHERE))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name; None if there is none."""
        if cmd_name not in ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        command = getattr(import_module(ELSEWHERE[cmd_name]), cmd_name)
        assert isinstance(command, click.Command)
        return command
