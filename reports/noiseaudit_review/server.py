"""The server: on 127.0.0.1 alone, until it is interrupted."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable

import uvicorn

from noiseaudit.errors import ConfigError
from noiseaudit_review.app import make_app
from noiseaudit_review.review import Review

HOST = "127.0.0.1"


def serve(review: Review, listener: socket.socket, on_start: Callable[[str, str], None]) -> None:
    """Answer until Ctrl-C or SIGTERM, which are raised again.

    `on_start` is told the address with its token, and one that opens the page once: it is for a browser's command line,
    which every user of the machine can read.
    """
    port = listener.getsockname()[1]
    token, once = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    config = uvicorn.Config(
        make_app(review, token, port, once),
        log_level="error",
        access_log=False,
        lifespan="off",
        ws="none",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    address = f"http://{HOST}:{port}/?token="
    on_start(f"{address}{token}", f"{address}{once}")
    uvicorn.Server(config).run(sockets=[listener])


def listening(port: int) -> socket.socket:
    """A socket that takes connections already, so that a browser that comes early waits; port 0 is a free one.

    Raises ConfigError where it cannot be had.
    """
    try:
        return socket.create_server(
            (HOST, port), backlog=128
        )  # reuses an address where that is safe: not on Windows
    except OSError as error:
        raise ConfigError(
            f"--port {port} cannot be had ({error.strerror})", fix="Give another, or 0 for a free one."
        ) from error
