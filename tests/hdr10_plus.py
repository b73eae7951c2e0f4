"""HDR10+ metadata for a stream that has none."""

from __future__ import annotations


def hdr10_plus_message() -> bytes:
    """The smallest of SMPTE ST 2094-40 in a prefix SEI message (ITU-T H.265, type 39; CTA-861-H, user data)."""
    bits = f"{1:02b}{1000:027b}{0:01b}" + 3 * f"{5000:017b}" + f"{300:017b}{0:04b}{100:010b}000"
    payload = int(bits.ljust(120, "0"), 2).to_bytes(15, "big")
    data = b"\xb5\x00\x3c\x00\x01\x04\x01" + payload
    unit = b"\x04" + bytes([len(data)]) + data + b"\x80"
    escaped = bytearray()
    for byte in unit:
        if byte <= 3 and escaped[-2:] == b"\0\0":
            escaped.append(3)
        escaped.append(byte)
    return b"\0\0\0\x01\x4e\x01" + bytes(escaped)


def with_hdr10_plus(stream: bytes) -> bytes:
    """An HEVC stream (Annex B) with the message in front of its first picture."""
    first_slice = min(
        at for code in (b"\0\0\x01\x26", b"\0\0\x01\x28", b"\0\0\x01\x2a") if (at := stream.find(code)) > 0
    )
    start = first_slice - 1 if stream[first_slice - 1] == 0 else first_slice
    return stream[:start] + hdr10_plus_message() + stream[start:]
