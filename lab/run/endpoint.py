"""The metrics over HTTP, for `curl` and Prometheus."""

from __future__ import annotations

import errno
import socket
import threading
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from lab.errors import Busy, EnvironmentProblem, PermissionProblem, UsageError_
from lab.run.address import LOCAL, Address
from lab.run.look import Latest
from lab.run.metrics import Collector


class Endpoint:
    """Listens from the beginning, answers from `start` on; a context manager."""

    def __init__(self, address: Address, latest: Latest, top: int) -> None:
        """Bind; `top` is how many top keys become labels.

        Raises Busy, UsageError_, PermissionProblem, EnvironmentProblem.
        """
        self._server = _listening(address, _application(Collector(latest, top)))
        self._thread: threading.Thread | None = None
        self.address = Address(address.host, self._server.server_port)

    def __enter__(self) -> Endpoint:
        """Return itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Stop answering and listening."""
        if self._thread:
            self._server.shutdown()
        self._server.server_close()

    def start(self) -> None:
        """Answer from now on, from a thread of its own."""
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="metrics", daemon=True
        )
        self._thread.start()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    # WSGIServer asks the DNS for this machine's name, which can take seconds.
    def server_bind(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        host, port = self.socket.getsockname()[:2]
        self.server_name, self.server_port = str(host), int(port)
        self.setup_environ()


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Quiet(WSGIRequestHandler):
    timeout = 5.0  # seconds for a client to say what it wants

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: stderr is the person's."""


def _application(collector: Collector) -> Any:
    try:
        from prometheus_client import CollectorRegistry, make_wsgi_app
    except ImportError as error:
        raise EnvironmentProblem(
            "metrics need prometheus-client, which is not installed",
            try_=".venv/bin/pip install 'glimpse-ebpf[metrics]', or run without --metrics",
        ) from error
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    return make_wsgi_app(registry)


def _listening(address: Address, application: Any) -> WSGIServer:
    family = _Server6 if ":" in address.host else _Server
    try:
        return make_server(address.host, address.port, application, family, _Quiet)
    except OSError as error:
        raise _explained(address, error) from error


def _explained(address: Address, error: OSError) -> Exception:
    if error.errno == errno.EADDRINUSE:
        return Busy(
            f"metrics: {address} is in use",
            try_=f"another port, or `ss -ltnp sport = :{address.port}` to see whose it is",
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return PermissionProblem(
            f"metrics: {address} may not be used by this process", try_="a port above 1023"
        )
    reason = (error.strerror or str(error)).lower()
    return UsageError_(
        f"metrics: cannot listen on {address}: {reason}",
        try_=f"an address of this machine, such as {LOCAL}:9435 (`ip address` lists them)",
    )
