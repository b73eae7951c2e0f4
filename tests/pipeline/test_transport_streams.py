"""MPEG-TS: damage in copied sound, and sound that is announced and never comes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from conftest import QUICK, Run, make_video

PACKET = 188
PICTURES, SOUND = 0x100, 0x101  # where ffmpeg's muxer puts the first two streams
NULL = 0x1FFF


def packets(data: bytearray, pid: int) -> Iterator[int]:
    """Where each packet of that stream begins."""
    for at in range(0, len(data), PACKET):
        assert data[at] == 0x47
        if int.from_bytes(data[at + 1 : at + 3], "big") & 0x1FFF == pid:
            yield at


def with_a_gap(source: Path, path: Path, pid: int) -> Path:
    """One packet of that stream with another continuity counter, as where packets are missing."""
    data = bytearray(source.read_bytes())
    at = list(packets(data, pid))[6]
    data[at + 3] ^= 0x08
    path.write_bytes(data)
    return path


def test_damaged_sound_is_counted_apart_from_the_video_and_refused_when_strict(run: Run, tmp_path: Path) -> None:
    clean = make_video(tmp_path / "clean.ts", frames=48)
    assert run("enhance", clean, "-o", "clean.mkv", *QUICK, "--strict").returncode == 0
    source = with_a_gap(clean, tmp_path / "in.ts", SOUND)
    done = run("enhance", source, "-o", "out.mkv", *QUICK, "--report", "r.json")
    assert done.returncode == 0, done.stderr
    repairs = json.loads((tmp_path / "r.json").read_text())["repairs"]
    assert 0 < repairs["copied_packets_damaged"] < 40  # what is in two PES packets: that one and the one behind it
    assert repairs["damaged_packets"] == 0
    assert "packets of copied streams were damaged" in done.stdout + done.stderr
    strict = run("enhance", source, "-o", "strict.mkv", *QUICK, "--strict")
    assert strict.returncode == 7, strict.stderr
    assert "packets of copied streams were damaged" in strict.stderr
    assert not list(tmp_path.glob("strict*"))


def test_damaged_pictures_are_not_counted_as_sound(run: Run, tmp_path: Path) -> None:
    data = bytearray(make_video(tmp_path / "clean.ts", frames=48).read_bytes())
    for at in list(packets(data, PICTURES))[20:24]:
        data[at + 100 : at + PACKET] = bytes(PACKET - 100)
    source = tmp_path / "in.ts"
    source.write_bytes(data)
    done = run("enhance", source, "-o", "out.mkv", *QUICK, "--report", "r.json")
    assert done.returncode == 0, done.stderr
    repairs = json.loads((tmp_path / "r.json").read_text())["repairs"]
    assert repairs["damaged_packets"] + repairs["concealed_frames"] > 0
    assert repairs["copied_packets_damaged"] == 0


def test_sound_that_never_comes_is_looked_for_once(run: Run, tmp_path: Path) -> None:
    # Longer than what FFmpeg itself looks through for parameters.
    data = bytearray(make_video(tmp_path / "clean.ts", size="64x48", frames=720).read_bytes())
    for at in packets(data, SOUND):
        data[at + 1 : at + 3] = NULL.to_bytes(2, "big")
    packet_count = len(data) // PACKET
    nothing = (b"\x47\x1f\xff\x10" + bytes(PACKET - 4)) * (40 * 1024 * 1024 // PACKET // packet_count)
    source = tmp_path / "in.ts"
    source.write_bytes(b"".join(data[at : at + PACKET] + nothing for at in range(0, len(data), PACKET)))
    done = run("enhance", source, "-o", "out.mkv", *QUICK, "--report", "r.json")
    assert done.returncode == 0, done.stderr
    assert "there is nothing of it in the first 512 MiB" in done.stderr
    files = json.loads((tmp_path / "r.json").read_text())["files"]
    read = next(file["bytes_read"] for file in files if file["path"].endswith("in.ts"))
    assert read < 2.5 * source.stat().st_size  # decoding reads it once; nothing else goes to its end
