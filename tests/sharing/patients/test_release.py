"""A person's word about a finding: signed, read back, refused when a byte of it is another."""

from dataclasses import replace

import orjson
import pytest

from sharing.errors import RefusedError
from sharing.patients.release import PatientRelease, make_patient_release, verify_patient_release
from sharing.release_act import verify_release_act
from sharing.seal.canonical import read_base64, write_base64
from tests.sharing.making import BE, FR, NOW, REGISTRY, SIGNER

SAID = PatientRelease(
    iss=FR,
    org=BE,
    finding="0123456789abcdef" * 2,
    person="claire",
    role="hospital",
    reason="the number of a DICOM tag",
    iat=NOW,
)


def altered(**changed: object) -> bytes:
    """The envelope with another payload under the old signature."""
    envelope = orjson.loads(make_patient_release(SAID, [SIGNER]))
    payload = orjson.loads(read_base64(envelope["payload"])) | changed
    given = {name: value for name, value in payload.items() if value is not None}
    return orjson.dumps(envelope | {"payload": write_base64(orjson.dumps(given))})


def test_what_was_said_comes_back_as_it_was_said() -> None:
    assert verify_patient_release(make_patient_release(SAID, [SIGNER]), REGISTRY) == SAID


@pytest.mark.parametrize("name", ["finding", "person", "role", "reason", "org"])
def test_no_word_of_it_can_be_changed(name: str) -> None:
    other = FR if name == "org" else "x"
    with pytest.raises(RefusedError, match="check 3"):
        verify_patient_release(altered(**{name: other}), REGISTRY)


@pytest.mark.parametrize("changed", [{"finding": None}, {"more": "x"}, {"iat": "yesterday"}])
def test_another_form_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(RefusedError, match="check 2"):
        verify_patient_release(altered(**changed), REGISTRY)


def test_it_is_no_release_of_a_hold_and_no_other_node_signed_it() -> None:
    with pytest.raises(RefusedError, match="check 2"):
        verify_release_act(make_patient_release(SAID, [SIGNER]), REGISTRY)
    with pytest.raises(RefusedError, match="check 3"):
        verify_patient_release(make_patient_release(replace(SAID, iss=BE), [SIGNER]), REGISTRY)


def test_a_megabyte_is_not_read() -> None:
    with pytest.raises(RefusedError, match="check 1"):
        verify_patient_release(b" " * (1 << 20), REGISTRY)
