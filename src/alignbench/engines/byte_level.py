"""How tokenizers write bytes as characters."""

from __future__ import annotations

import re

SPACE = "\N{LOWER ONE EIGHTH BLOCK}"  # what SentencePiece writes for a space
BYTE_TOKEN = re.compile(r"<0x([0-9A-Fa-f]{2})>")  # what it writes for a byte of a character that is no token


def _byte_alphabet() -> dict[str, int]:
    """GPT-2's alphabet: a printable character for each byte (Radford et al. 2019, bytes_to_unicode)."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + n): byte for n, byte in enumerate(others)}


BYTES = _byte_alphabet()


def bytes_of(piece: str) -> bytes:
    """The bytes of a piece of a byte-level tokenizer; special tokens, which are not written so, as they are."""
    return b"".join(bytes([BYTES[c]]) if c in BYTES else c.encode("utf-8", "replace") for c in piece)
