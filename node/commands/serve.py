"""Runs one node: one process, one worker; more of them share a PostgreSQL database."""

import ctypes
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path

import structlog
import uvicorn

from node.app import create_app
from node.commands.shown import opened
from node.listener import PatientProtocol, Server
from node.logs import configure_logs
from node.tls import transport_to_peers

_M_MMAP_THRESHOLD = -3  # of malloc.h
_log = structlog.get_logger(__name__)


def serve(data: Path, *, until_stdin_closes: bool) -> None:
    """Serve the node in `data` until a signal, or the end of stdin, stops it.

    Exits 3 where it cannot begin: the port is taken, or the schedule's start failed.
    """
    configure_logs()
    _give_memory_back()
    with opened(data) as node:
        settings = node.settings
        app = create_app(node, transport=transport_to_peers(settings))
        server = Server(
            uvicorn.Config(
                app,
                host=settings.host,
                port=settings.port,
                http=PatientProtocol,
                ws="none",
                log_config=None,
                access_log=False,  # the outer door logs requests
                proxy_headers=False,  # the proxy door heeds them
                server_header=False,
                timeout_graceful_shutdown=5,
            ),
            node.bell.ring_out,
        )
        if until_stdin_closes:
            threading.Thread(target=_stop_at_end_of_stdin, args=(server,), daemon=True).start()
        _log.info("serves", name=settings.name, at=settings.base_url, org=node.org)
        with suppress(KeyboardInterrupt):  # Ctrl-C has stopped it in good order
            server.run()
    # A pull may still wait for a slow peer: nothing is half done, and nobody waits for it.
    sys.stderr.flush()
    os._exit(0)


def _give_memory_back() -> None:
    """Have glibc return each large block when it is freed; else every thread keeps its largest."""
    with suppress(AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, 1 << 20)


def _stop_at_end_of_stdin(server: uvicorn.Server) -> None:
    while os.read(0, 4096):  # not sys.stdin, whose lock would still be held when Python ends
        pass
    server.should_exit = True
