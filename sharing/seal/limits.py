"""Sizes nobody may pass (sealing.md §2.7 step 1, decisions.md D31)."""

PACKAGE_BYTES = 128 << 20
HEAD_BYTES = 16 << 20
HEAD_BRACKETS = 1 << 21  # each one costs memory; 2**20 records need about as many
HEAD_COMMAS = 1 << 22  # likewise, for numbers
SLOT_BYTES = 1 << 20
RECORDS = 1 << 20
SLOTS_PER_RECORD = 16
SLOTS = 1 << 21  # of one package; each costs some hundred bytes before any signature is checked
RECALL_BYTES = 256 << 10
CHUNK_RECORDS = 32
VOIDS_ALWAYS_ALLOWED = 1024
JSON_DEPTH = 32
KEYS = 16
COUNTER = (1 << 32) - 1  # epoch and seq are hashed as u32 (federation.md, set element)


def voids_allowed(size: int) -> int:
    """How many of `size` records may be void before the log must be compacted (§2.4)."""
    return max(VOIDS_ALWAYS_ALLOWED, size // 2)
