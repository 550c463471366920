"""Our client certificate: shown to peers, its key pinned in our entry."""

import ssl
from pathlib import Path

import pytest
from cryptography import x509

from federation.call import Call
from federation.errors import TransportError
from federation.pin import pin_of
from node.errors import SettingsError
from node.roster import own_entry
from node.tls import own_pins, transport_to_peers
from tests.federation.listener import certificate, listening, saying
from tests.federation.test_transport import OK, peer_at
from tests.node.nodes import HandClock, make_node

CALL = Call("GET", "/fed/v1/feed")


@pytest.mark.loopback
def test_our_certificate_is_shown_to_a_peer_that_asks_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, _ = certificate(tmp_path, "localhost")
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_verify_locations(tmp_path / "peer.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "peer.pem"))
    node = make_node(tmp_path / "node", HandClock())
    hosts = {"allow_hosts": frozenset({"localhost"})}
    bare = node.settings.model_copy(update=hosts)
    shown = bare.model_copy(update={"tls_client": (tmp_path / "peer.pem",)})
    node.close()
    with listening(saying(OK), server) as listener:
        peer = peer_at(f"https://localhost:{listener.port}")
        assert transport_to_peers(shown).send(CALL, peer).body == b"page"
        with pytest.raises(TransportError):
            transport_to_peers(bare).send(CALL, peer)


def test_our_entry_pins_the_keys_of_all_our_certificates(tmp_path: Path) -> None:
    pins = set()
    for name in ("now", "next"):
        (tmp_path / name).mkdir()
        certificate(tmp_path / name, name)
        pem = (tmp_path / name / "peer.pem").read_bytes()
        pins.add(pin_of(x509.load_pem_x509_certificate(pem)))
    node = make_node(tmp_path / "node", HandClock())
    both = (Path("../now/peer.pem"), tmp_path / "next" / "peer.pem")
    settings = node.settings.model_copy(update={"tls_client": both})
    assert own_entry(settings, node.keys)["tls_pins"] == sorted(pins)
    assert own_entry(node.settings, node.keys)["tls_pins"] == []
    node.close()


def test_a_certificate_that_cannot_be_used_is_told_with_its_path(tmp_path: Path) -> None:
    node = make_node(tmp_path / "node", HandClock())
    (tmp_path / "bad.pem").write_text("no PEM")
    bad = node.settings.model_copy(update={"tls_client": (tmp_path / "bad.pem",)})
    missing = node.settings.model_copy(update={"tls_client": (tmp_path / "none.pem",)})
    node.close()
    for settings, path in ((bad, "bad.pem"), (missing, "none.pem")):
        for use in (own_pins, transport_to_peers):
            with pytest.raises(SettingsError, match=path):
                use(settings)
