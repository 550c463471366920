"""Which points are keys: those of prime order, canonically written, and no others."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from sharing.seal.curve import is_sound_key

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
SIGN = 1 << 255

Affine = tuple[int, int]

# RFC 8032 §5.1: the curve has eight points whose order divides its cofactor.
ROOT = pow(2, (P - 1) // 4, P)
SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",  # order 1
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # order 2
    "0000000000000000000000000000000000000000000000000000000000000000",  # order 4
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",  # order 8
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
]
# Second spellings of them: y not below P, or the sign of an x that is 0.
MISSPELLED = [P, P | SIGN, 1 | SIGN, P + 1, P + 1 | SIGN, P - 1 | SIGN]
NOT_CANONICAL = [*MISSPELLED, *range(P + 2, 2**255), *(y | SIGN for y in range(P + 2, 2**255))]
NOT_ON_CURVE = [2, 7, 2 | SIGN]


def written(number: int) -> bytes:
    return number.to_bytes(32, "little")


def point_of(raw: bytes) -> Affine:
    """The point that 32 bytes spell, by another way than ours: x² = (y² - 1) / (d y² + 1)."""
    number = int.from_bytes(raw, "little")
    y = number & SIGN - 1
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * ROOT % P
    return (x if x & 1 == number >> 255 else P - x), y


def sum_of(left: Affine, right: Affine) -> bytes:
    """The sum of two points, written down."""
    (x1, y1), (x2, y2) = left, right
    both = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + both, -1, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - both, -1, P) % P
    return written(y | (x & 1) << 255)


real_keys = st.binary(min_size=32, max_size=32).map(
    lambda seed: Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
)


@given(real_keys)
def test_every_real_key_is_sound(raw: bytes) -> None:
    assert is_sound_key(raw)


@given(real_keys, real_keys)
def test_the_sum_of_real_keys_is_sound(left: bytes, right: bytes) -> None:
    """So that what is refused below is refused for its order, and not for how we add."""
    assert is_sound_key(sum_of(point_of(left), point_of(right))) is (left != opposite(right))


def opposite(raw: bytes) -> bytes:
    return written(int.from_bytes(raw, "little") ^ SIGN)


@given(real_keys, st.sampled_from(SMALL_ORDER[1:]))
def test_a_real_key_plus_a_point_of_small_order_is_not(raw: bytes, torsion: str) -> None:
    mixed = sum_of(point_of(raw), point_of(bytes.fromhex(torsion)))
    Ed25519PublicKey.from_public_bytes(mixed)  # to OpenSSL it is a key like any other
    assert not is_sound_key(mixed)


@pytest.mark.parametrize("raw", SMALL_ORDER)
def test_points_of_small_order_are_not(raw: str) -> None:
    assert not is_sound_key(bytes.fromhex(raw))


@pytest.mark.parametrize("number", NOT_CANONICAL, ids=hex)
def test_misspelled_points_are_not(number: int) -> None:
    assert not is_sound_key(written(number))


@pytest.mark.parametrize("number", NOT_ON_CURVE, ids=hex)
def test_what_lies_on_no_curve_is_not(number: int) -> None:
    assert not is_sound_key(written(number))


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_what_has_another_length_is_not(size: int) -> None:
    sound = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
    assert not is_sound_key((sound + bytes(32))[:size])


def test_openssl_lets_one_signature_stand_for_any_message() -> None:
    """Which is why registration asks for more: A and R neutral, S = 0, and the equation holds."""
    neutral = bytes.fromhex(SMALL_ORDER[0])
    forged = neutral + bytes(32)
    for message in (b"", b"pay 1", b"pay 1000"):
        Ed25519PublicKey.from_public_bytes(neutral).verify(forged, message)
    assert not is_sound_key(neutral)
