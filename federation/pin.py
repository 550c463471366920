"""The second layer: a member's requests come over TLS connections made with a key that it names.

A pin is the key id (`B64url(SHA-256(SPKI))`, sealing.md §2.5) of the key in the certificate that a
member's node shows, so a certificate may be renewed without a word. Who a request comes from is
proven by its signature alone; a pin only makes a stolen transport key worth less.
"""

from collections.abc import Collection, Sequence
from hashlib import sha256
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from federation.errors import BadRequestError
from sharing.errors import UnreadableError
from sharing.seal.canonical import read_base64, write_base64url

_CAP = 16 * 1024


def pin_of(certificate: x509.Certificate) -> str:
    """The pin of the certificate's key."""
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return write_base64url(sha256(spki).digest())


def check_pin(pins: Collection[str], told: Sequence[str]) -> None:
    """Check what a proxy told of the connection against a member's pins; without pins, nothing.

    `told` are the values of the header that names the certificate, as they came.

    Raises:
        BadRequestError: reason `certificate`.
    """
    if not pins:
        return
    if len(told) != 1:
        raise BadRequestError("certificate", f"{len(told)} certificates were told, not one")
    if pin_of(_read(told[0])) not in pins:
        raise BadRequestError("certificate", "the connection was made with another key")


def _read(value: str) -> x509.Certificate:
    """A certificate as RFC 9440 has it (:base64 of DER:), or as PEM percent-encoded (nginx)."""
    if len(value) > _CAP:
        raise BadRequestError("certificate", "the certificate is too long")
    try:
        if value.startswith(":") and value.endswith(":") and len(value) > 1:
            return x509.load_der_x509_certificate(read_base64(value[1:-1]))
        return x509.load_pem_x509_certificate(unquote(value).encode())
    except (UnreadableError, ValueError) as error:
        raise BadRequestError("certificate", "what was told is no certificate") from error
