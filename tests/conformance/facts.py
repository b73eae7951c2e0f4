"""What is in a file, as ffprobe and ffmpeg see it: one small comparable value an aspect."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

Fact = Any  # compared with ==, printed into messages
Json = dict[str, Any]


@cache
def probed(path: Path) -> Json:
    """Format, streams, chapters and packets with their hashes."""
    shown = ["-show_format", "-show_streams", "-show_chapters", "-show_packets", "-show_data_hash", "md5"]
    thorough = ["-analyzeduration", "60M", "-probesize", "100M"]  # sound may begin late
    command = ["ffprobe", "-v", "error", *thorough, *shown, "-of", "json", str(path)]
    result: Json = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=120).stdout)
    return result


@cache
def first_frame(path: Path) -> Json:
    """The first frame of the first video stream. Some come late: packets before a cut show nothing."""
    shown = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_frames", "-of", "json"]
    for packets in ("16", "500"):
        command = [*shown, "-read_intervals", f"%+#{packets}", str(path)]
        output = subprocess.run(command, capture_output=True, timeout=120).stdout
        found: Json = json.loads(output or b"{}")
        frames: list[Json] = [f for f in found.get("frames", []) if f["media_type"] == "video"]
        if frames:
            return frames[0]
    raise IndexError(f"{path} has no frame")


def is_cover(stream: Json) -> bool:
    return bool(stream["disposition"]["attached_pic"])


def streams(path: Path, kind: str) -> list[Json]:
    """Of that kind and no cover art."""
    return [s for s in probed(path)["streams"] if s["codec_type"] == kind and not is_cover(s)]


def video(path: Path) -> Json:
    return streams(path, "video")[0]


def language(stream: Json) -> str:
    name: str = stream.get("tags", {}).get("language", "und")
    return name


def seconds(packet: Json) -> float:
    return float(packet.get("pts_time") or packet.get("dts_time") or 0)


def packets(path: Path, stream: Json) -> list[Json]:
    return [p for p in probed(path)["packets"] if p["stream_index"] == stream["index"]]


def shown(path: Path, stream: Json) -> list[Json]:
    """Packets that an edit list does not hide."""
    return [p for p in packets(path, stream) if "D" not in p["flags"]]


def frame_times(path: Path) -> list[float]:
    """Of the first video, from its first frame."""
    times = sorted(seconds(p) for p in shown(path, video(path)))
    return [t - times[0] for t in times]


@cache
def decoded_times(path: Path) -> list[float]:
    """Of the frames that are shown, where packets may hold hidden ones (VP9)."""
    command = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "frame=best_effort_timestamp_time"]
    output = subprocess.run([*command, "-of", "csv=p=0", str(path)], capture_output=True, timeout=120).stdout.decode()
    times = [float(line.split(",")[0]) for line in output.split() if line]
    return [t - times[0] for t in times]


def audio_offsets(path: Path) -> list[float]:
    """Where every sound ends after the first picture: containers differ in how they hide a beginning."""
    start = min(seconds(p) for p in shown(path, video(path)))
    return [seconds(packets(path, s)[-1]) - start for s in streams(path, "audio") if packets(path, s)]


def audio_payloads(path: Path) -> list[Json]:
    """Hashes of the packets of every sound, all of them and those that are heard."""

    def hashes(chosen: list[Json]) -> list[str]:
        return [p["data_hash"] for p in chosen]

    return [{"all": hashes(packets(path, s)), "heard": hashes(shown(path, s))} for s in streams(path, "audio")]


def boxes(data: bytes, kind: bytes) -> list[bytes]:
    """Contents of the boxes of that kind that lie side by side in `data` (ISO/IEC 14496-12)."""
    found, at = [], 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        header = 8
        if size == 1:
            size, header = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        if size < header:
            break
        if data[at + 4 : at + 8] == kind:
            found.append(data[at + header : at + size])
        at += size
    return found


def audio_titles(path: Path) -> list[str]:
    """MP4 and MOV keep them as the track's name, which this ffprobe does not show."""
    if not probed(path)["format"]["format_name"].startswith("mov"):
        return [s.get("tags", {}).get("title", "") for s in streams(path, "audio")]
    titles = []
    for track in boxes(boxes(path.read_bytes(), b"moov")[0], b"trak"):
        handler = boxes(boxes(track, b"mdia")[0], b"hdlr")[0]
        names = [name for udta in boxes(track, b"udta") for name in boxes(udta, b"name")]
        if handler[8:12] == b"soun":
            titles.append(names[0].decode() if names else "")
    return titles


def subtitle_texts(path: Path) -> list[str]:
    """Every text subtitle as SubRip, without its styling."""
    texts = []
    for i in range(len(streams(path, "subtitle"))):
        command: list[str | Path] = [
            "ffmpeg",
            "-v",
            "quiet",
            "-i",
            path,
            "-map",
            f"0:s:{i}",
            "-c:s",
            "text",
            "-f",
            "data",
            "-",
        ]
        text = subprocess.run(command, capture_output=True, timeout=120).stdout.decode(errors="replace")
        texts.append(text.replace("\r", "").strip())
    return texts


def chapters(path: Path) -> list[tuple[float, str]]:
    """Start in tenths of a second, title."""
    found = probed(path)["chapters"]
    return [(round(float(c["start_time"]), 1), c.get("tags", {}).get("title", "")) for c in found]


def tags(path: Path) -> dict[str, str]:
    """Of the file, without what is about the container."""
    own = {"major_brand", "minor_version", "compatible_brands", "encoder", "duration"}
    found = probed(path)["format"].get("tags", {}).items()
    return {key.lower(): value for key, value in found if key.lower() not in own}


def rotation(path: Path) -> str:
    for side in video(path).get("side_data_list", []):
        if "displaymatrix" in side:
            return " ".join(str(side["displaymatrix"]).split())
    return ""


def hdr(path: Path) -> list[Json]:
    """Static HDR metadata, of the stream or else of the frame, in numbers."""
    wanted = ("Mastering display metadata", "Content light level metadata")
    listed = [*video(path).get("side_data_list", []), *first_frame(path).get("side_data_list", [])]
    found = {s["side_data_type"]: s for s in reversed(listed) if s["side_data_type"] in wanted}

    def number(text: Any) -> Any:
        top, _, bottom = str(text).partition("/")
        return round(int(top) / int(bottom), 3) if bottom else text

    # The primaries of a PNG alone are no display.
    whole = {name: side for name, side in found.items() if name != wanted[0] or "max_luminance" in side}
    return [{k: number(v) for k, v in whole[name].items()} for name in wanted if name in whole]


def dynamic_hdr(path: Path) -> list[str]:
    """HDR10+ and Dolby Vision, of the stream and of the frame."""
    listed = [*video(path).get("side_data_list", []), *first_frame(path).get("side_data_list", [])]
    kinds = ("HDR Dynamic Metadata", "Dolby Vision", "DOVI")
    return sorted({s["side_data_type"] for s in listed if s["side_data_type"].startswith(kinds)})


def alpha(path: Path) -> list[int]:
    """Of the first frame, eight values from left to right; none where it has no such plane."""
    stream = video(path)
    beside = {"vp8": "libvpx", "vp9": "libvpx-vp9"} if stream.get("tags", {}).get("alpha_mode") == "1" else {}
    decoder = ["-c:v", beside[stream["codec_name"]]] if stream["codec_name"] in beside else []
    look = ["ffmpeg", "-nostdin", *decoder, "-i", str(path), "-vf", "showinfo", "-frames:v", "1", "-f", "null", "-"]
    words = subprocess.run(look, check=True, capture_output=True, timeout=120).stderr.decode(errors="replace")
    if not re.search(r"Parsed_showinfo.* fmt:(yuva|rgba|bgra|argb|abgr|gbrap|ya\d)", words):
        return []
    shown = ["-vf", "format=rgba,alphaextract,scale=8:1:flags=area", "-frames:v", "1", "-pix_fmt", "gray"]
    command: list[str | Path] = ["ffmpeg", "-v", "error", *decoder, "-i", path, *shown, "-f", "rawvideo", "-"]
    return list(subprocess.run(command, check=True, capture_output=True, timeout=120).stdout)


def colour(path: Path) -> tuple[str, ...]:
    frame = first_frame(path)
    return tuple(frame.get(k, "unknown") for k in ("color_range", "color_space", "color_primaries", "color_transfer"))


def timecode(path: Path) -> str:
    text: str = video(path).get("tags", {}).get("timecode", "") or video(path).get("tags", {}).get("TIMECODE", "")
    return text


def disposition(stream: Json) -> str:
    return " ".join(k for k in ("default", "forced", "hearing_impaired", "comment") if stream["disposition"][k])


ASPECTS: dict[str, Callable[[Path], Fact]] = {
    "videos": lambda p: len(streams(p, "video")),
    "frame times": frame_times,
    "audio": lambda p: [(s["codec_name"], language(s)) for s in streams(p, "audio")],
    "audio payloads": audio_payloads,
    "A/V offset": audio_offsets,
    "audio titles": audio_titles,
    "audio dispositions": lambda p: [disposition(s) for s in streams(p, "audio")],
    "subtitles": lambda p: [(s["codec_name"], language(s)) for s in streams(p, "subtitle")],
    "subtitle texts": subtitle_texts,
    "attachments": lambda p: [s.get("tags", {}).get("filename", "") for s in streams(p, "attachment")],
    "cover art": lambda p: [s["codec_name"] for s in probed(p)["streams"] if is_cover(s)],
    "chapters": chapters,
    "tags": tags,
    "timecode": timecode,
    "rotation": rotation,
    "size": lambda p: (first_frame(p)["width"], first_frame(p)["height"]),  # what the container says may be wrong
    "sample aspect": lambda p: video(p).get("sample_aspect_ratio", "1:1"),
    "fields": lambda p: (first_frame(p)["interlaced_frame"], first_frame(p)["top_field_first"]),
    "colour": colour,
    "chroma location": lambda p: video(p).get("chroma_location", "unspecified"),
    "pixel format": lambda p: video(p)["pix_fmt"],
    "HDR metadata": hdr,
    "dynamic HDR": dynamic_hdr,
    "alpha": alpha,
}


def is_same(aspect: str, before: Fact, after: Fact, *, milliseconds: bool) -> bool:
    """Times may differ by what the container rounds to: Matroska's is a millisecond."""
    if aspect in ("frame times", "A/V offset"):
        tolerance = 0.00101 if milliseconds or aspect == "A/V offset" else 2.1e-6  # ffprobe prints microseconds
        return len(before) == len(after) and all(abs(a - b) <= tolerance for a, b in zip(before, after, strict=True))
    if aspect == "audio payloads":  # what is hidden before the beginning may be there or not
        return len(before) == len(after) and all(
            a["heard"] == b["all"][-len(a["heard"]) :] for a, b in zip(before, after, strict=True)
        )
    if aspect == "alpha":
        return len(before) == len(after) and all(abs(a - b) <= 4 for a, b in zip(before, after, strict=True))
    if aspect == "tags":
        return all(after.get(key) == value for key, value in before.items())
    return bool(before == after)
