"""Our own TLS key towards peers: the certificate we show, and the pins we name."""

import ssl
from pathlib import Path

import httpcore2
from cryptography import x509

from federation.pin import pin_of
from federation.transport import Transport
from node.errors import SettingsError
from node.settings import Settings


def transport_to_peers(settings: Settings) -> Transport:
    """What carries our calls to peers, with our client certificate if there is one.

    Raises:
        SettingsError: its file cannot be used.
    """
    return Transport(allow_hosts=settings.allow_hosts, tls=_context(settings))


def own_pins(settings: Settings) -> list[str]:
    """The pins of all our client certificates: the one we show, and those to come.

    Raises:
        SettingsError: a file cannot be used.
    """
    return sorted({_pin(path) for path in settings.tls_client_paths})


def _context(settings: Settings) -> ssl.SSLContext | None:
    if not settings.tls_client_paths:
        return None
    path, context = settings.tls_client_paths[0], httpcore2.default_ssl_context()
    try:
        context.load_cert_chain(path)
    except OSError as error:  # ssl.SSLError is one
        raise SettingsError(f"tls_client {path}: no certificate with its key") from error
    return context


def _pin(path: Path) -> str:
    try:
        return pin_of(x509.load_pem_x509_certificate(path.read_bytes()))
    except OSError as error:
        raise SettingsError(f"tls_client {path}: {error.strerror}") from error
    except ValueError as error:
        raise SettingsError(f"tls_client {path}: no certificate in PEM") from error
