"""The command line's reference, out of the commands' own help."""

from __future__ import annotations

from collections.abc import Iterator

import click

from lab.cli import cli, help_line

FOLDER = "reference/commands"
WIDTH = 96  # columns of the help texts


def pages() -> dict[str, str]:
    """Return a page per command, its verbs on it, and their index."""
    context = click.Context(cli, info_name="lab")
    names = cli.list_commands(context)
    found = {f"{FOLDER}/{name}.md": _page(name, context) for name in names}
    found[f"{FOLDER}/index.md"] = _index(names)
    return found


def _index(names: list[str]) -> str:
    rows = "\n".join(f"| [`lab {name}`]({name}.md) | {help_line(name)} |" for name in names)
    return f"# Commands\n\n| command | what it does |\n|---|---|\n{rows}\n"


def _page(name: str, parent: click.Context) -> str:
    command = cli.get_command(parent, name)
    assert command is not None
    parts = [f"# lab {name}\n\n{help_line(name)}\n"]
    parts += [_section(part, path) for part, path in _walk(command, f"lab {name}")]
    return "\n".join(parts)


def _walk(command: click.Command, path: str) -> Iterator[tuple[click.Command, str]]:
    yield command, path
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            verb = command.get_command(context, name)
            if verb is not None and not verb.hidden:
                yield from _walk(verb, f"{path} {name}")


def _section(command: click.Command, path: str) -> str:
    context = click.Context(
        command,
        info_name=path,
        terminal_width=WIDTH,
        max_content_width=WIDTH,
        help_option_names=["-h", "--help"],
    )
    title = "" if path.count(" ") == 1 else f"## {path}\n\n"
    return f"{title}```text\n{command.get_help(context).rstrip()}\n```\n"
