"""One small video for every feature, made by ffmpeg; what is expected of it where that is not simply "the same"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conftest import ffmpeg
from hdr10_plus import with_hdr10_plus

CONTAINERS = ("mp4", "mov", "mkv", "webm")

PICTURE = ["-f", "lavfi", "-i", "testsrc2=size=96x64:rate=24:duration=0.8"]
TONE = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=0.8"]
X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-pix_fmt", "yuv420p"]

SRT = "1\n00:00:00,100 --> 00:00:00,300\nHello <i>there</i>\n\n2\n00:00:00,400 --> 00:00:00,700\nTwo\nlines\n"
CHAPTERS = (
    ";FFMETADATA1\ntitle=A title\nartist=Someone\ndirector=Somebody else\n"
    "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=300\ntitle=One\n"
    "[CHAPTER]\nTIMEBASE=1/1000\nSTART=300\nEND=800\ntitle=Zwei – 二\n"
)


@dataclass(frozen=True)
class Feature:
    """`aspects`: keys of facts.ASPECTS that must be the same, unless `otherwise` names a container and an aspect: then
    the aspect has that value (a conversion), or, for a string that begins with "says ", is absent and the plan's notes
    hold the rest of it."""

    name: str
    make: Callable[[Path], Path]
    aspects: tuple[str, ...]
    options: tuple[str, ...] = ()
    containers: tuple[str, ...] = CONTAINERS
    otherwise: dict[tuple[str, str], Any] = field(default_factory=dict)
    says: str = ""  # in the plan's notes or the report's warnings
    refuses: dict[str, str] = field(default_factory=dict)  # container -> why the plan refuses it
    video_stream: int = 0  # which of the source's videos is enhanced


def everywhere(aspect: str, value: Any, *containers: str) -> dict[tuple[str, str], Any]:
    return {(container, aspect): value for container in containers}


def make_rich(folder: Path) -> Path:
    (folder / "one.srt").write_text(SRT)
    (folder / "chapters.txt").write_text(CHAPTERS)
    (folder / "font.ttf").write_bytes(bytes(range(256)) * 8)
    ffmpeg("-f", "lavfi", "-i", "color=red:size=32x32", "-frames:v", "1", folder / "cover.jpg")
    ffmpeg("-i", folder / "one.srt", folder / "two.ass")
    path = folder / "rich.mkv"
    sound = ["-c:a:0", "aac", "-c:a:1", "ac3", "-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=jpn"]
    sound += ["-metadata:s:a:1", "title=Commentary", "-disposition:a:1", "comment", "-disposition:a:0", "default"]
    text = ["-c:s:0", "srt", "-c:s:1", "ass", "-metadata:s:s:0", "language=ger", "-metadata:s:s:1", "language=eng"]
    text += ["-disposition:s:0", "forced"]
    files: list[str | Path] = [
        "-attach",
        folder / "font.ttf",
        "-metadata:s:t:0",
        "mimetype=application/x-truetype-font",
    ]
    files += ["-attach", folder / "cover.jpg", "-metadata:s:t:1", "mimetype=image/jpeg"]
    inputs: list[str | Path] = ["-i", folder / "one.srt", "-i", folder / "two.ass", "-i", folder / "chapters.txt"]
    maps = ["-map", "0", "-map", "1", "-map", "1", "-map", "2", "-map", "3", "-map_metadata", "4"]
    ffmpeg(*PICTURE, *TONE, *inputs, *maps, "-map_chapters", "4", *X264, *sound, *text, *files, path)
    return path


def make_twin(folder: Path) -> Path:
    """Two videos, two sounds, text, as phones and cameras do."""
    (folder / "one.srt").write_text(SRT)
    path = folder / "twin.mp4"
    second = ["-f", "lavfi", "-i", "testsrc=size=64x48:rate=30:duration=0.8"]
    maps = ["-map", "0:v", "-map", "2:a", "-map", "1:v", "-map", "2:a", "-map", "3:s"]
    codecs = [*X264, "-c:a", "aac", "-c:s", "mov_text", "-metadata:s:s:0", "language=fra"]
    ffmpeg(*PICTURE, *second, *TONE, "-i", folder / "one.srt", *maps, *codecs, path)
    return path


def make_webm(folder: Path) -> Path:
    (folder / "one.srt").write_text(SRT)
    path = folder / "in.webm"
    codecs = ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus", "-c:s", "webvtt"]
    ffmpeg(*PICTURE, *TONE, "-i", folder / "one.srt", "-map", "0", "-map", "1", "-map", "2", *codecs, path)
    return path


def from_picture(name: str, *arguments: str, sound: bool = False) -> Callable[[Path], Path]:
    """A function that makes file `name` of the moving test picture with these ffmpeg arguments."""

    def make(folder: Path) -> Path:
        ffmpeg(*PICTURE, *(TONE if sound else []), *arguments, folder / name)
        return folder / name

    return make


def make_rotated(folder: Path) -> Path:
    ffmpeg(*PICTURE, *X264, folder / "flat.mp4")
    ffmpeg("-i", folder / "flat.mp4", "-c", "copy", "-metadata:s:v", "rotate=90", folder / "rotated.mp4")
    return folder / "rotated.mp4"


def make_mirrored(folder: Path) -> Path:
    """A matrix that mirrors, which the ffmpeg command cannot write: its a and its offset changed in place."""
    ffmpeg(*PICTURE, *X264, folder / "flat.mp4")
    data = bytearray((folder / "flat.mp4").read_bytes())
    at = data.find((0x10000).to_bytes(4, "big") + bytes(12), data.find(b"tkhd"))
    data[at : at + 4] = (-0x10000).to_bytes(4, "big", signed=True)
    data[at + 24 : at + 28] = (96 << 16).to_bytes(4, "big")
    (folder / "mirrored.mp4").write_bytes(data)
    return folder / "mirrored.mp4"


def make_late_sound(folder: Path) -> Path:
    """Sound that starts late and ends long after the pictures."""
    tone = ["-itsoffset", "0.3215", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100:duration=1.5"]
    ffmpeg(*PICTURE, *tone, *X264, "-c:a", "aac", "-movie_timescale", "44100", folder / "late.mp4")
    return folder / "late.mp4"


def make_sound_nobody_finds(folder: Path) -> Path:
    """Sound that begins further into an MPEG-TS than FFmpeg looks for its parameters by itself."""
    pictures = ["-f", "lavfi", "-i", "testsrc2=size=96x64:rate=24:duration=9"]
    tone = ["-itsoffset", "8", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100:duration=1"]
    ffmpeg(*pictures, *tone, *X264, "-c:a", "ac3", folder / "unfound.ts")
    return folder / "unfound.ts"


def make_late_dolby(folder: Path) -> Path:
    pictures = ["-f", "lavfi", "-i", "testsrc2=size=96x64:rate=24:duration=3"]
    tone = ["-itsoffset", "2", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=1"]
    ffmpeg(*pictures, *tone, *X264, "-c:a", "ac3", folder / "late.mkv")
    return folder / "late.mkv"


def make_cut(folder: Path) -> Path:
    """Cut without re-encoding: an edit list hides what lies before the cut."""
    ffmpeg(*PICTURE, *TONE, *X264, "-g", "24", "-c:a", "aac", folder / "whole.mp4")
    ffmpeg("-ss", "0.3", "-i", folder / "whole.mp4", "-c", "copy", folder / "cut.mp4")
    return folder / "cut.mp4"


def make_negative(folder: Path) -> Path:
    """Pictures and sound that begin half a second before zero, where an edit list hides them."""
    offset = ["-output_ts_offset", "-0.5"]
    ffmpeg(*PICTURE, *TONE, *X264, "-c:a", "aac", *offset, folder / "negative.mp4")
    return folder / "negative.mp4"


def make_wrapping(folder: Path) -> Path:
    """The 33 bits of an MPEG-TS clock run over after a third of a second."""
    offset = ["-output_ts_offset", str(2**33 / 90000 - 0.3 - 1.4)]
    ffmpeg(*PICTURE, *TONE, *X264, "-c:a", "ac3", *offset, folder / "wrap.ts")
    return folder / "wrap.ts"


def make_resized(folder: Path) -> Path:
    ffmpeg(*PICTURE, *X264, folder / "a.ts")
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x64:rate=24:duration=0.4", *X264, folder / "b.ts")
    (folder / "sizes.ts").write_bytes((folder / "a.ts").read_bytes() + (folder / "b.ts").read_bytes())
    return folder / "sizes.ts"


def make_grainy(folder: Path) -> Path:
    noise = ["-f", "lavfi", "-i", "color=gray:size=256x144:rate=24:duration=0.5,noise=alls=24:allf=t"]
    ffmpeg(*noise, "-c:v", "libsvtav1", "-preset", "6", "-svtav1-params", "film-grain=20", folder / "grain.mkv")
    return folder / "grain.mkv"


def make_hdr10_plus(folder: Path) -> Path:
    coding = ["-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", *PQ]
    ffmpeg(*PICTURE, *coding, "-x265-params", f"{HDR10}:bframes=0", folder / "plain.hevc")
    (folder / "plus.hevc").write_bytes(with_hdr10_plus((folder / "plain.hevc").read_bytes()))
    ffmpeg("-fflags", "+genpts", "-r", "24", "-i", folder / "plus.hevc", "-c", "copy", folder / "plus.mkv")
    return folder / "plus.mkv"


HDR10 = (
    "log-level=none:hdr10=1:repeat-headers=1:max-cll=1000,400:"
    "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
)
PQ = ["-color_range", "tv", "-colorspace", "bt2020nc", "-color_primaries", "bt2020", "-color_trc", "smpte2084"]
HLG = [*PQ[:-1], "arib-std-b67"]
SOUND = ("audio", "audio payloads", "A/V offset")
TIMES = ("frame times",)


# Alpha that rises from left to right.
ALPHA = ("-vf", "format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='255*X/W'")
VP9_ALPHA = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-pix_fmt", "yuva420p")

NO_ROTATION = "says cannot say: it will be shown as it is coded"

FEATURES = (
    Feature(
        "Matroska with everything",
        make_rich,
        (
            *TIMES,
            *SOUND,
            "audio titles",
            "audio dispositions",
            "subtitles",
            "subtitle texts",
            "attachments",
            "cover art",
            "chapters",
            "tags",
        ),
        otherwise={
            **everywhere("subtitles", [("mov_text", "ger")], "mp4", "mov"),
            **everywhere("subtitle texts", ["Hello thereTwo\nlines"], "mp4", "mov"),
            **everywhere("attachments", "says cannot hold attachments; use .mkv", "mp4", "mov"),
            ("mov", "audio dispositions"): "says MOV cannot say that stream 2 is comment",
            ("mov", "cover art"): "says cannot hold this cover picture",
            ("mp4", "tags"): "says MP4 has no place for these tags: DIRECTOR",
            **{("webm", aspect): "says .webm cannot hold aac; use .mp4, .mov, .mkv" for aspect in SOUND},
            **{("webm", f"audio {what}"): "says .webm cannot hold ac3" for what in ("titles", "dispositions")},
            **{("webm", what): "says .webm cannot hold subrip; use .mkv" for what in ("subtitles", "subtitle texts")},
            ("webm", "attachments"): "says .webm cannot hold attachments; use .mkv",
            ("webm", "cover art"): "says .webm cannot hold this cover picture; use .mkv or .mp4",
        },
    ),
    Feature(
        "the same, --convert-subtitles",
        make_rich,
        ("subtitles", "subtitle texts"),
        options=("--convert-subtitles",),
        containers=("mp4", "webm"),
        otherwise={
            ("mp4", "subtitles"): [("mov_text", "ger"), ("mov_text", "eng")],
            ("webm", "subtitles"): [("webvtt", "ger"), ("webvtt", "eng")],
        },
    ),
    Feature(
        "two videos, two sounds, mov_text",
        make_twin,
        (*TIMES, *SOUND, "videos", "subtitles", "subtitle texts"),
        containers=("mp4", "mov", "mkv"),
        otherwise={("mkv", "subtitles"): [("subrip", "fra")]},
    ),
    Feature(
        "WebM: Opus, WebVTT",
        make_webm,
        (*TIMES, *SOUND, "subtitles", "subtitle texts"),
        otherwise={
            **everywhere("subtitles", [("mov_text", "und")], "mp4", "mov"),
            **everywhere("audio", "says cannot hold opus; use .mp4, .mkv", "mov"),
            **everywhere("audio payloads", "says cannot hold opus", "mov"),
            **everywhere("A/V offset", "says cannot hold opus", "mov"),
        },
    ),
    Feature(
        "AVI: MPEG-4 and MP3",
        from_picture("in.avi", "-c:v", "mpeg4", "-bf", "0", "-c:a", "libmp3lame", sound=True),
        (*TIMES, *SOUND),
        containers=("mp4", "mov", "mkv"),
    ),
    Feature(
        "MPEG-TS that starts at 10 s",
        from_picture("in.ts", *X264, "-c:a", "ac3", "-output_ts_offset", "10", sound=True),
        (*TIMES, *SOUND),
        containers=("mp4", "mov", "mkv"),
    ),
    Feature("late and longer sound", make_late_sound, (*TIMES, *SOUND), containers=("mp4", "mov", "mkv")),
    Feature("MPEG-TS: sound after eight seconds", make_sound_nobody_finds, (*TIMES, *SOUND), containers=("mkv",)),
    Feature(
        "AC-3 two seconds after the pictures",
        make_late_dolby,
        (*TIMES, *SOUND),
        containers=("mp4", "mov", "mkv"),
        refuses=dict.fromkeys(("mp4", "mov"), "begins after the pictures, which a growing MP4 or MOV cannot say"),
    ),
    Feature("MP4 that begins before zero", make_negative, (*TIMES, *SOUND), containers=("mp4", "mov", "mkv")),
    Feature(
        "negative composition offsets",
        from_picture(
            "offsets.mp4", *X264, "-c:a", "aac", "-use_editlist", "0", "-movflags", "negative_cts_offsets", sound=True
        ),
        (*TIMES, *SOUND),
        containers=("mp4", "mov", "mkv"),
    ),
    Feature("edit list of a cut", make_cut, (*TIMES, *SOUND), containers=("mp4", "mkv")),
    Feature(
        "variable frame rate",
        from_picture("vfr.mp4", "-vf", "select='not(eq(mod(n,7),2)+eq(mod(n,5),3))'", "-fps_mode", "vfr", *X264),
        TIMES,
    ),
    Feature(
        "timecode",
        from_picture("timecode.mov", *X264, "-timecode", "01:00:00:00"),
        ("timecode",),
        containers=("mp4", "mov", "mkv"),
    ),
    Feature(
        "rotation",
        make_rotated,
        ("rotation", "size"),
        otherwise={("mkv", "rotation"): NO_ROTATION, ("webm", "rotation"): NO_ROTATION},
    ),
    Feature(
        "mirrored",
        make_mirrored,
        ("rotation",),
        containers=("mp4", "mov", "mkv"),
        otherwise={("mkv", "rotation"): NO_ROTATION},
    ),
    Feature(
        "rotation, baked",
        make_rotated,
        ("rotation", "size"),
        options=("--bake-rotation",),
        containers=("mp4", "mkv"),
        otherwise={**everywhere("size", (64, 96), "mp4", "mkv"), **everywhere("rotation", "", "mp4", "mkv")},
    ),
    Feature("pixels that are not square", from_picture("sar.mp4", "-vf", "setsar=4/3", *X264), ("sample aspect",)),
    Feature(
        "interlaced, left so",
        from_picture("fields.mkv", "-vf", "setfield=bff", *X264, "-flags", "+ildct+ilme"),
        ("fields",),
        options=("--deinterlace", "off"),
        containers=("mp4", "mov", "mkv"),
    ),
    Feature(
        "interlaced, made whole",
        from_picture("fields.mkv", "-vf", "setfield=bff", *X264, "-flags", "+ildct+ilme"),
        ("fields", "frame times"),
        options=("--deinterlace", "on"),
        containers=("mp4", "mov", "mkv"),
        otherwise=everywhere("fields", (0, 0), "mp4", "mov", "mkv"),
        says="a picture is made of every frame",
    ),
    Feature(
        "full range BT.601",
        from_picture(
            "full.mp4",
            *X264,
            "-color_range",
            "pc",
            "-colorspace",
            "smpte170m",
            "-color_primaries",
            "smpte170m",
            "-color_trc",
            "bt709",
        ),
        ("colour",),
    ),
    Feature(
        "chroma sited top left",
        from_picture(
            "chroma.mkv",
            *X264,
            "-bsf:v",
            "h264_metadata=chroma_sample_loc_type=2",
            "-chroma_sample_location",
            "topleft",
        ),
        ("chroma location",),
        containers=("mp4", "mov", "mkv"),
    ),
    Feature(
        "HDR10",
        from_picture(
            "hdr10.mkv",
            "-c:v",
            "libx265",
            "-preset",
            "ultrafast",
            "-pix_fmt",
            "yuv420p10le",
            "-x265-params",
            HDR10,
            *PQ,
        ),
        ("colour", "pixel format", "HDR metadata"),
        options=("--codec", "hevc"),
    ),
    Feature(
        "HDR10+",
        make_hdr10_plus,
        ("colour", "HDR metadata", "dynamic HDR"),
        options=("--codec", "hevc"),
        containers=("mp4", "mov", "mkv"),
        otherwise=everywhere("dynamic HDR", "says HDR10+'s dynamic metadata is left out", "mp4", "mov", "mkv"),
    ),
    Feature(
        "HLG",
        from_picture("hlg.mkv", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", *HLG),
        ("colour", "pixel format"),
    ),
    Feature(
        "4:2:2, 10 bit",
        from_picture("422.mkv", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv422p10le"),
        ("pixel format",),
        otherwise={("webm", "pixel format"): "yuv420p10le"},
    ),
    Feature(
        "4:4:4",
        from_picture("444.mkv", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv444p"),
        ("pixel format",),
        otherwise={("webm", "pixel format"): "yuv420p"},
    ),
    Feature(
        "gray",
        from_picture("gray.mkv", "-c:v", "ffv1", "-pix_fmt", "gray"),
        ("pixel format",),
        # What H.264 codes as 4:0:0 its decoder shows so.
        otherwise={
            **everywhere("pixel format", "yuvj420p", "mp4", "mov", "mkv"),
            ("webm", "pixel format"): "yuv420p",
        },
    ),
    Feature(
        "RGB",
        from_picture("rgb.mkv", "-c:v", "ffv1", "-pix_fmt", "gbrp"),
        ("pixel format",),
        otherwise={
            **everywhere("pixel format", "yuv444p", "mp4", "mov", "mkv"),
            ("webm", "pixel format"): "yuv420p",
        },
    ),
    Feature(
        "transparency",
        from_picture("alpha.mov", *ALPHA, "-c:v", "png", "-pix_fmt", "rgba"),
        ("pixel format", "alpha"),
        containers=("mov", "mkv"),
        otherwise={
            **everywhere("pixel format", "says alpha plane is dropped", "mov", "mkv"),
            **everywhere("alpha", "says alpha plane is dropped", "mov", "mkv"),
        },
    ),
    Feature(
        "transparency into FFV1",
        from_picture("alpha.mov", *ALPHA, "-c:v", "png", "-pix_fmt", "rgba"),
        ("pixel format", "alpha"),
        options=("--encoder", "ffv1"),
        containers=("mkv",),
        otherwise={("mkv", "pixel format"): "bgra"},
    ),
    Feature(
        "transparency into ProRes",
        from_picture("alpha.mkv", *ALPHA, "-c:v", "ffv1", "-pix_fmt", "yuva444p10le"),
        ("pixel format", "alpha"),
        options=("--encoder", "prores_ks"),
        containers=("mov",),
        otherwise={("mov", "pixel format"): "yuva444p12le"},  # its decoder hands out two bits more
    ),
    Feature(
        "transparency beside VP9",
        from_picture("alpha.webm", *ALPHA, *VP9_ALPHA),
        ("alpha",),
        otherwise=everywhere("alpha", "says alpha plane is dropped", *CONTAINERS),
    ),
    Feature(
        "transparency beside VP9, into VP9",
        from_picture("alpha.webm", *ALPHA, *VP9_ALPHA),
        ("alpha",),
        options=("--encoder", "libvpx-vp9"),
        containers=("mp4", "mkv", "webm"),
        otherwise={("mp4", "alpha"): "says libvpx-vp9 in .mp4 cannot hold it"},
    ),
    Feature(
        "AV1 film grain",
        make_grainy,
        TIMES,
        containers=("mkv",),
        says="film grain",
    ),
    Feature("MPEG-TS clock that wraps", make_wrapping, (*TIMES, *SOUND), containers=("mp4", "mkv")),
    Feature(
        "size that changes",
        make_resized,
        ("size",),
        containers=("mp4", "mkv"),
        says="frames had another size, format or colour matrix than the first",
    ),
)
