"""Go into the network namespace of the interface."""

from __future__ import annotations

from lab.errors import InterfaceMissing, PermissionProblem


def enter(name: str | None) -> None:
    """Enter a namespace for good: this thread, and those it starts; raises what keeps it out.

    Sockets that are open stay where they are, so metrics are answered outside.
    """
    if name is None:
        return
    from pyroute2 import netns

    try:
        netns.setns(name, flags=0)
    except FileNotFoundError as error:
        known = ", ".join(netns.listnetns()) or "none"
        raise InterfaceMissing(
            f"there is no network namespace {name!r}", try_=f"one of: {known}"
        ) from error
    except PermissionError as error:
        raise PermissionProblem(
            f"entering network namespace {name} needs CAP_SYS_ADMIN, "
            "which this process does not have",
            try_="run it with sudo",
        ) from error
