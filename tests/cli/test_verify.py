"""`millstream verify`: an untouched result passes; a result broken on purpose is caught, and the fault named."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import QUICK, Run, built, ffmpeg, files_in, make_video

SIZE = (160, 90)
FRAMES = 48
FRAME_BYTES = SIZE[0] * SIZE[1] * 3 // 2
ENCODE = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "16", "-bf", "2", "-pix_fmt", "yuv420p"]
KEEP_TIMES = ["-fps_mode", "passthrough", "-enc_time_base", "-1"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("verify")


@pytest.fixture(scope="module")
def source(folder: Path) -> Path:
    return make_video(folder / "source.mp4", frames=FRAMES)


def enhance(source: Path, result: Path, *options: str) -> Path:
    program = built("MILLSTREAM_BIN", "build/release/millstream")
    chosen = options or ("--scale", "1", "--preset", "ultrafast")
    quick = ["--model", "identity", "--progress", "none"]
    command = [str(program), "enhance", str(source), "-o", str(result), *quick, *chosen]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return result


@pytest.fixture(scope="module")
def result(folder: Path, source: Path) -> Path:
    return enhance(source, folder / "result.mp4")


@pytest.fixture(scope="module")
def rich(folder: Path) -> Path:
    """Two soundtracks, a subtitle, two chapters, an attachment, tags."""
    subtitle = folder / "words.srt"
    subtitle.write_text(
        "1\n00:00:00,200 --> 00:00:00,900\nThe <i>first</i>\nline\n\n2\n00:00:01,000 --> 00:00:01,500\nBye\n"
    )
    tags = folder / "tags.txt"
    chapters = "".join(
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={start}\nEND={start + 1000}\ntitle={title}\n"
        for start, title in ((0, "One"), (1000, "Two"))
    )
    tags.write_text(f";FFMETADATA1\ntitle=A film\nartist=Somebody\n{chapters}")
    font = folder / "letters.ttf"
    font.write_bytes(b"not really a font" * 20)
    path = folder / "rich.mkv"
    tone = ["-f", "lavfi", "-i"]
    streams = ["-map", "0", "-map", "1", "-map", "2", "-map", "3", "-map_metadata", "4", "-map_chapters", "4"]
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=24:duration=2"),
        *(*tone, "sine=frequency=440:duration=2", *tone, "sine=frequency=880:duration=2"),
        *("-i", str(subtitle), "-i", str(tags), *streams, *ENCODE, "-c:a", "aac", "-c:s", "subrip"),
        *("-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=jpn", "-metadata:s:a:1", "title=Remarks"),
        *("-disposition:a:0", "default", "-disposition:a:1", "comment", "-disposition:s:0", "forced"),
        *("-attach", str(font), "-metadata:s:t", "mimetype=application/x-truetype-font"),
        path,
    )
    return path


@pytest.fixture(scope="module")
def rich_result(folder: Path, rich: Path) -> Path:
    """What enhancing it should give, made without the program under test."""
    path = folder / "rich_result.mkv"
    ffmpeg("-i", rich, "-map", "0", "-c", "copy", *ENCODE, "-vf", "scale=320:180", *KEEP_TIMES, path)
    return path


def report(run: Run, source: Path, result: Path, code: int, *options: str) -> dict[str, Any]:
    done = run("verify", source, result, "--json", "--progress", "none", *options)
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == code, faults(found)
    assert found["holds"] == (code == 0)
    return found


def faults(found: dict[str, Any]) -> dict[str, list[str]]:
    """Check name -> `place: source / result`, of the checks with a difference."""
    return {
        check["name"]: [f"{e['place']}: {e['source']} / {e['result']}" for e in check["examples"]]
        for check in found["checks"]
        if check["differences"]
    }


def copy(source: Path, result: Path, *options: str | Path) -> Path:
    ffmpeg("-i", source, "-map", "0", "-c", "copy", *options, result)
    return result


def with_frames(result: Path, path: Path, order: Sequence[int]) -> Path:
    """The result with these frames of its own, in this order and at a constant rate."""
    command = ["ffmpeg", "-v", "error", "-i", str(result), "-map", "0:v", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"]
    pixels = subprocess.run(command, check=True, capture_output=True).stdout
    assert len(pixels) == FRAMES * FRAME_BYTES
    raw = path.with_suffix(".yuv")
    raw.write_bytes(b"".join(pixels[n * FRAME_BYTES : (n + 1) * FRAME_BYTES] for n in order))
    pictures: list[str | Path] = [
        "-f",
        "rawvideo",
        "-pix_fmt",
        "yuv420p",
        "-s",
        f"{SIZE[0]}x{SIZE[1]}",
        "-r",
        "24",
        "-i",
        raw,
    ]
    tags = ["-bsf:v", "h264_metadata=matrix_coefficients=6:video_full_range_flag=0"]
    ffmpeg(*pictures, "-i", result, "-map", "0:v", "-map", "1:a", *ENCODE, *tags, "-c:a", "copy", path)
    return path


def packet_position(path: Path, kind: str, number: int) -> int:
    entries = ["-select_streams", f"{kind}:0", "-show_entries", "packet=pos", "-of", "csv=p=0"]
    text = subprocess.run(["ffprobe", "-v", "error", *entries, path], check=True, capture_output=True, text=True)
    return int(text.stdout.split()[number].strip(","))


def damaged_at(path: Path, source: Path, position: int, count: int) -> Path:
    data = bytearray(source.read_bytes())
    for i in range(position, position + count):
        data[i] ^= 0x5A
    path.write_bytes(data)
    return path


# What holds


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.mov"])
def test_an_untouched_result_passes_in_every_container(run: Run, tmp_path: Path, source: Path, name: str) -> None:
    found = report(run, source, enhance(source, tmp_path / name), 0)
    assert found["source_frames"] == found["result_frames"] == FRAMES
    compared = {check["name"]: check["compared"] for check in found["checks"]}
    assert compared["frame times"] == compared["frame order"] == FRAMES
    assert compared["packets"] == compared["packet times"] > 50
    assert found["scenes"][0]["psnr_db"] > 35
    assert found["scenes"][0]["ssim"] > 0.97


def test_a_webm_result_passes(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "source.webm"
    picture = ["-f", "lavfi", "-i", "testsrc2=size=160x90:rate=24:duration=1"]
    tone = ["-f", "lavfi", "-i", "sine=frequency=440:duration=1"]
    ffmpeg(*picture, *tone, "-c:v", "libvpx-vp9", "-deadline", "realtime", "-c:a", "libopus", path)
    out = enhance(path, tmp_path / "out.webm", "--scale", "1", "--codec", "av1", "--preset", "12")
    report(run, path, out, 0)


def test_variable_rate_late_sound_and_ten_bit_pass(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "source.mkv"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=24:duration=2"),
        *("-itsoffset", "0.37", "-f", "lavfi", "-i", "sine=frequency=440:duration=2.5"),
        *("-vf", "select='not(eq(mod(n,7),2)+eq(mod(n,5),3))'", "-fps_mode", "vfr"),
        *("-c:v", "libx265", "-x265-params", "log-level=none", "-pix_fmt", "yuv420p10le", "-c:a", "aac", path),
    )
    for name in ("out.mp4", "out.mkv"):
        report(run, path, enhance(path, tmp_path / name, "--scale", "1", "--codec", "hevc"), 0)


def test_an_upscaled_result_is_compared_at_the_size_of_the_source(run: Run, tmp_path: Path, source: Path) -> None:
    found = report(run, source, enhance(source, tmp_path / "out.mp4", "--scale", "3"), 0)
    assert found["scenes"][0]["psnr_db"] > 30


def test_a_copy_of_everything_passes(run: Run, rich: Path, rich_result: Path) -> None:
    found = report(run, rich, rich_result, 0)
    compared = {check["name"]: check["compared"] for check in found["checks"]}
    assert compared["streams"] == 4
    assert compared["chapters"] == 2
    assert compared["attachments"] == 3


def test_subtitles_converted_for_mp4_pass_by_their_text(
    run: Run, tmp_path: Path, rich: Path, rich_result: Path
) -> None:
    out = tmp_path / "out.mp4"
    ffmpeg("-i", rich_result, "-map", "0:v", "-map", "0:a", "-map", "0:s", "-c", "copy", "-c:s", "mov_text", out)
    found = report(run, rich, out, 0)
    assert any("attachment" in note and "use .mkv" in note for note in found["notes"])


def test_sound_from_before_a_cut_is_not_missed_where_it_would_be_heard(run: Run, tmp_path: Path, source: Path) -> None:
    """A cut without re-encoding: an edit list hides the pictures and the sound before it."""
    cut = tmp_path / "cut.mp4"
    ffmpeg("-ss", "0.9", "-i", source, "-c", "copy", cut)
    report(run, cut, enhance(cut, tmp_path / "out.mp4"), 0)
    result = enhance(cut, tmp_path / "out.mkv")
    report(run, cut, result, 0)
    broken = copy(result, tmp_path / "broken.mkv", "-bsf:a", "noise=drop=eq(n\\,10)")
    assert len(faults(report(run, cut, broken, 7))["packets"]) == 1


def test_a_raw_adts_soundtrack_equals_its_mp4_form(run: Run, tmp_path: Path, source: Path) -> None:
    stream = copy(source, tmp_path / "source.ts", "-f", "mpegts")
    report(run, stream, enhance(stream, tmp_path / "out.mp4"), 0)


# What the program does to a source on purpose


def fields(path: Path) -> Path:
    """50 fields a second in 25 interlaced frames, moving enough to be torn."""
    picture = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=50:duration=2"]
    ffmpeg(*picture, "-vf", "tinterlace=interleave_top", *ENCODE, "-flags", "+ilme+ildct", path)
    return path


def test_an_interlaced_source_whose_pictures_were_made_whole_passes(run: Run, tmp_path: Path) -> None:
    source = fields(tmp_path / "fields.mkv")
    done = run("enhance", source, "-o", "out.mp4", "--verify", *QUICK)
    assert done.returncode == 0, done.stdout
    found = report(run, source, tmp_path / "out.mp4", 0)
    assert "The source is interlaced, the result's pictures are whole." in found["notes"]


def test_fields_that_were_to_be_kept_are_compared(run: Run, tmp_path: Path) -> None:
    source = fields(tmp_path / "fields.mkv")
    done = run("enhance", source, "-o", "out.mkv", "--deinterlace", "off", "--verify", *QUICK)
    assert done.returncode == 0, done.stdout
    other = tmp_path / "bottom.mkv"
    ffmpeg("-i", tmp_path / "out.mkv", *ENCODE, "-vf", "setfield=bff", "-flags", "+ilme+ildct", other)
    assert faults(report(run, source, other, 7))["picture data"] == [
        "field order: top field first / bottom field first"
    ]


def turned(source: Path, path: Path) -> Path:
    ffmpeg("-i", source, "-c", "copy", "-metadata:s:v:0", "rotate=90", path)
    return path


def test_a_rotation_that_the_container_cannot_say_is_a_note(run: Run, tmp_path: Path, source: Path) -> None:
    path = turned(source, tmp_path / "turned.mp4")
    done = run("enhance", path, "-o", "out.mkv", "--verify", *QUICK)
    assert done.returncode == 0, done.stdout
    found = report(run, path, tmp_path / "out.mkv", 0)
    assert any("rotated by" in note and ".mkv as it is written here cannot say" in note for note in found["notes"])


def test_pictures_that_were_turned_themselves_pass(run: Run, tmp_path: Path, source: Path) -> None:
    path = turned(source, tmp_path / "turned.mp4")
    done = run("enhance", path, "-o", "out.mp4", "--bake-rotation", "--verify", *QUICK)
    assert done.returncode == 0, done.stdout
    report(run, path, tmp_path / "out.mp4", 0, "--bake-rotation")
    assert "display matrix" in faults(report(run, path, tmp_path / "out.mp4", 7))["picture data"][-1]
    upright = enhance(source, tmp_path / "upright.mp4")
    assert "scenes" in faults(report(run, path, upright, 7, "--bake-rotation"))


@pytest.fixture(scope="module")
def two_videos(folder: Path) -> Path:
    path = folder / "two.mkv"
    lavfi = ["-f", "lavfi", "-i"]
    pictures = [*lavfi, "testsrc2=size=160x90:rate=24:duration=1", *lavfi, "mandelbrot=size=160x90:rate=24"]
    ffmpeg(*pictures, "-map", "0", "-map", "1", "-t", "1", *ENCODE, path)
    return path


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv"])
def test_the_video_that_was_enhanced_is_found_behind_another(
    run: Run, tmp_path: Path, two_videos: Path, name: str
) -> None:
    done = run("enhance", two_videos, "-o", name, "--video", "1", "--verify", *QUICK)
    assert done.returncode == 0, done.stdout
    report(run, two_videos, tmp_path / name, 0, "--video", "1")
    swapped = copy(tmp_path / name, tmp_path / f"swapped_{name}", "-map", "-0", "-map", "0:1", "-map", "0:0")
    assert "scenes" in faults(report(run, two_videos, swapped, 7, "--video", "1"))


def test_what_a_container_is_not_given_is_a_note(run: Run, tmp_path: Path, source: Path) -> None:
    styled = tmp_path / "styled.mkv"
    words = tmp_path / "words.ass"
    srt = tmp_path / "words.srt"
    srt.write_text("1\n00:00:00,200 --> 00:00:00,900\nWords\n")
    ffmpeg("-i", srt, words)
    ffmpeg("-i", source, "-i", words, "-map", "0", "-map", "1", "-c", "copy", styled)
    out = enhance(styled, tmp_path / "out.mp4")
    found = report(run, styled, out, 0)
    assert any("subtitle ass" in note and "use .mkv" in note for note in found["notes"])
    assert "streams" in faults(report(run, styled, out, 7, "--convert-subtitles"))

    picture = tmp_path / "cover.png"
    ffmpeg("-f", "lavfi", "-i", "color=red:size=32x32", "-frames:v", "1", picture)
    covered = tmp_path / "covered.mp4"
    cover = ["-map", "0", "-map", "1", "-c", "copy", "-disposition:v:1", "attached_pic"]
    ffmpeg("-i", source, "-i", picture, *cover, covered)
    found = report(run, covered, enhance(covered, tmp_path / "out.mov"), 0)
    assert any("png" in note and "use .mkv or .mp4" in note for note in found["notes"])
    bare = copy(enhance(covered, tmp_path / "with.mp4"), tmp_path / "bare.mp4", "-map", "-0:v:1")
    assert "png" in faults(report(run, covered, bare, 7))["streams"][0]


def test_planes_that_the_result_has_not_are_a_note(run: Run, tmp_path: Path, source: Path) -> None:
    done = run("enhance", source, "-o", "out.mp4", "--pix-fmt", "yuv444p10le", "--verify", *QUICK)
    assert done.returncode == 0, done.stdout
    found = report(run, tmp_path / "out.mp4", source, 0)
    assert any("chroma by 1x1, 10 bit, the result's YCbCr, chroma by 2x2, 8 bit" in note for note in found["notes"])


def test_a_lost_timecode_is_named(run: Run, tmp_path: Path, source: Path) -> None:
    path = copy(source, tmp_path / "source.mov", "-timecode", "01:00:00:00")
    for name in ("out.mov", "out.mp4", "out.mkv"):
        report(run, path, enhance(path, tmp_path / name), 0)
    lost = copy(enhance(source, tmp_path / "lost.mov"), tmp_path / "same.mov")
    assert faults(report(run, path, lost, 7))["picture data"] == ["timecode: 01:00:00:00 / "]


def test_still_pictures_give_no_false_alarm(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "still.mp4"
    noise = "color=gray:size=160x90:rate=24:duration=2,noise=alls=12:allf=t"
    ffmpeg("-f", "lavfi", "-i", noise, *ENCODE, "-crf", "20", path)
    report(run, path, enhance(path, tmp_path / "out.mp4"), 0)


# Frames


def test_a_dropped_frame_is_named(run: Run, tmp_path: Path, source: Path, result: Path) -> None:
    broken = tmp_path / "broken.mp4"
    cut = ["-vf", "select='not(eq(n,17))'", "-fps_mode", "passthrough", "-enc_time_base", "1/12288"]
    ffmpeg("-i", result, *ENCODE, *cut, "-c:a", "copy", "-video_track_timescale", "12288", broken)
    found = faults(report(run, source, broken, 7))
    assert found["frames"] == ["frame 17 (0.708 s): present / missing"]
    assert "frame order" not in found
    assert "packets" not in found


def test_two_swapped_frames_are_named(run: Run, tmp_path: Path, source: Path, result: Path) -> None:
    order = list(range(FRAMES))
    order[20], order[21] = 21, 20
    found = faults(report(run, source, with_frames(result, tmp_path / "broken.mp4", order), 7))
    assert [text.split(" (")[0] for text in found["frame order"]] == ["frame 20", "frame 21"]
    assert "shows the frame after it, 21" in found["frame order"][0]
    assert "shows the frame before it, 20" in found["frame order"][1]


def test_a_repeated_frame_is_named(run: Run, tmp_path: Path, source: Path, result: Path) -> None:
    order = [*range(31), 30, *range(32, FRAMES)]
    found = faults(report(run, source, with_frames(result, tmp_path / "broken.mp4", order), 7))
    assert len(found["frame order"]) == 1
    assert found["frame order"][0].startswith("frame 31 (")
    assert "shows the frame before it, 30" in found["frame order"][0]


def test_a_shift_of_all_frames_is_one_place(run: Run, tmp_path: Path, source: Path, result: Path) -> None:
    order = [*range(1, FRAMES), FRAMES - 1]
    found = faults(report(run, source, with_frames(result, tmp_path / "broken.mp4", order), 7))
    assert len(found["frame order"]) == 1
    assert "frames 0 to 46" in found["frame order"][0]


def test_a_reencoded_result_in_the_right_order_passes(run: Run, tmp_path: Path, source: Path, result: Path) -> None:
    """That the tests above see the fault and not the second encoding."""
    report(run, source, with_frames(result, tmp_path / "same.mp4", range(FRAMES)), 0)


def test_a_frame_shown_too_late_is_named(run: Run, tmp_path: Path, source: Path, result: Path) -> None:
    broken = tmp_path / "broken.mp4"
    late = ["-vf", "setpts='if(eq(N,10),PTS+100,PTS)'", "-fps_mode", "passthrough", "-enc_time_base", "1/12288"]
    ffmpeg("-i", result, *ENCODE, *late, "-c:a", "copy", "-video_track_timescale", "12288", broken)
    found = faults(report(run, source, broken, 7))
    assert any(text.startswith("frame 10 (0.417 s): at 0.4167 s / at 0.4248 s") for text in found["frame times"])
    assert "frames" not in found


def test_a_damaged_picture_is_named(run: Run, tmp_path: Path, source: Path, result: Path) -> None:
    broken = tmp_path / "broken.mp4"
    box = "drawbox=x=0:y=0:w=iw/2:h=ih/2:color=green:t=fill:enable='eq(n,25)'"
    ffmpeg("-i", result, *ENCODE, "-vf", box, "-c:a", "copy", broken)
    found = faults(report(run, source, broken, 7))
    assert len(found["damaged frames"]) == 1
    assert found["damaged frames"][0].startswith("frame 25 (")


def test_a_darker_picture_is_named(run: Run, tmp_path: Path, source: Path, result: Path) -> None:
    broken = tmp_path / "broken.mp4"
    ffmpeg("-i", result, *ENCODE, "-vf", "lutyuv=y=val-4", "-c:a", "copy", broken)
    found = faults(report(run, source, broken, 7))
    assert "luma" in found["levels"][0]


def test_other_pictures_fail_the_scene(run: Run, tmp_path: Path, source: Path, result: Path) -> None:
    broken = tmp_path / "broken.mp4"
    ffmpeg("-i", result, *ENCODE, "-vf", "hflip", "-c:a", "copy", broken)
    assert "scenes" in faults(report(run, source, broken, 7))


# Streams


def test_sound_that_is_late_is_named(run: Run, tmp_path: Path, source: Path, result: Path) -> None:
    broken = tmp_path / "broken.mp4"
    ffmpeg("-i", result, "-itsoffset", "0.04", "-i", result, "-map", "0:v", "-map", "1:a", "-c", "copy", broken)
    found = faults(report(run, source, broken, 7))
    assert set(found) == {"packet times"}
    assert len(found["packet times"]) == 10
    assert "stream 1 (audio aac" in found["packet times"][1]


def test_sound_that_cannot_be_decoded_is_a_decoding_error(run: Run, tmp_path: Path, source: Path, result: Path) -> None:
    broken = damaged_at(tmp_path / "broken.mp4", result, packet_position(result, "a", 30), 60)
    found = faults(report(run, source, broken, 7))
    assert "copied streams: 0 errors / " in found["decoding"][0]
    assert "packet 30 (" in found["packets"][0]


def test_a_changed_packet_is_named(run: Run, tmp_path: Path, source: Path, result: Path) -> None:
    broken = damaged_at(tmp_path / "broken.mp4", result, packet_position(result, "a", 30) + 20, 1)
    found = faults(report(run, source, broken, 7))
    assert set(found) <= {"packets", "decoding"}
    assert len(found["packets"]) == 1
    assert "packet 30 (" in found["packets"][0]
    assert found["packets"][0].count("hash") == 2


def test_missing_packets_are_named_and_the_rest_still_fits(
    run: Run, tmp_path: Path, source: Path, result: Path
) -> None:
    broken = copy(result, tmp_path / "broken.mkv", "-bsf:a", "noise=drop=eq(n\\,40)")
    found = faults(report(run, source, broken, 7))
    assert set(found) == {"packets"}
    assert len(found["packets"]) == 1
    assert "packet 40 (" in found["packets"][0]


def test_a_missing_soundtrack_is_named_unless_asked_for(run: Run, tmp_path: Path, source: Path, result: Path) -> None:
    silent = copy(result, tmp_path / "silent.mp4", "-map", "-0:a")
    found = faults(report(run, source, silent, 7))
    assert found["streams"] == ["stream 1 (audio aac, und): present / missing, though mp4 can hold it"]
    report(run, source, silent, 0, "--no-audio")


@pytest.mark.parametrize(
    ("options", "check", "named"),
    [
        (["-map", "-0:s"], "streams", "stream 3 (subtitle subrip"),
        (["-map", "-0:t"], "streams", "stream 4 (attachment ttf"),
        (["-map", "-0:a:0"], "streams", "stream 1 (audio aac, eng"),
        (["-map_chapters", "-1"], "chapters", "chapter 1: 'One' at "),
        (["-metadata", "artist=Nobody"], "metadata", "file, tag 'artist': Somebody / Nobody"),
        (["-metadata:s:a:1", "language=fra"], "metadata", "tag 'language': jpn / fra"),
        (["-metadata:s:a:1", "title="], "metadata", "tag 'title': Remarks / "),
        (["-disposition:s:0", "0"], "dispositions", "stream 3 (subtitle subrip): forced / none"),
        (
            ["-metadata:s:t", "mimetype=text/plain"],
            "attachments",
            "MIME type: application/x-truetype-font / text/plain",
        ),
    ],
)
def test_what_accompanies_the_video_is_compared(
    run: Run, tmp_path: Path, rich: Path, rich_result: Path, options: list[str], check: str, named: str
) -> None:
    broken = copy(rich_result, tmp_path / "broken.mkv", *options)
    found = faults(report(run, rich, broken, 7))
    assert set(found) == {check}
    assert any(named in text for text in found[check]), found


def test_changed_bytes_of_an_attachment_are_named(run: Run, tmp_path: Path, rich: Path, rich_result: Path) -> None:
    position = rich_result.read_bytes().find(b"not really a font")
    broken = damaged_at(tmp_path / "broken.mkv", rich_result, position, 3)
    assert "contents" in faults(report(run, rich, broken, 7))["attachments"][0]


def test_a_dropped_chapter_is_named(run: Run, tmp_path: Path, rich: Path, rich_result: Path) -> None:
    tags = tmp_path / "tags.txt"
    tags.write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=1000\nEND=2000\ntitle=Two\n")
    broken = tmp_path / "broken.mkv"
    ffmpeg("-i", rich_result, "-i", tags, "-map", "0", "-map_chapters", "1", "-c", "copy", broken)
    found = faults(report(run, rich, broken, 7))
    assert len(found["chapters"]) == 1
    assert found["chapters"][0].startswith("chapter 1: 'One' at ")


def test_a_changed_line_of_converted_subtitles_is_named(
    run: Run, tmp_path: Path, rich: Path, rich_result: Path
) -> None:
    words = tmp_path / "words.srt"
    words.write_text("1\n00:00:00,200 --> 00:00:00,900\nThe first\nline\n\n2\n00:00:01,000 --> 00:00:01,500\nHello\n")
    broken = tmp_path / "broken.mp4"
    streams = ["-map", "0:v", "-map", "0:a", "-map", "1", "-c", "copy", "-c:s", "mov_text", "-disposition:s", "forced"]
    ffmpeg("-i", rich_result, "-i", words, *streams, broken)
    found = faults(report(run, rich, broken, 7))
    assert any('"Bye" / "Hello"' in text for text in found["packets"])


# Pictures' data, files


@pytest.mark.parametrize(
    ("tag", "named"),
    [
        ("colour_primaries=9", "colour primaries"),
        ("transfer_characteristics=16", "transfer characteristics"),
        ("matrix_coefficients=9", "matrix coefficients"),
        ("video_full_range_flag=1", "colour range"),
        ("chroma_sample_loc_type=2", "chroma location"),
    ],
)
def test_a_changed_tag_of_the_video_is_named(run: Run, tmp_path: Path, tag: str, named: str) -> None:
    path = tmp_path / "source.mkv"
    colour = ["-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", "-color_range", "tv"]
    picture = ["-f", "lavfi", "-i", "testsrc2=size=160x90:rate=24:duration=0.5"]
    ffmpeg(*picture, *ENCODE, *colour, "-chroma_sample_location", "left", path)
    report(run, path, copy(path, tmp_path / "same.mkv"), 0)
    broken = copy(path, tmp_path / "broken.mkv", "-bsf:v", f"h264_metadata={tag}")
    found = faults(report(run, path, broken, 7))
    assert any(text.startswith(named) for text in found["picture data"]), found


def test_another_shape_of_the_pixels_is_named(run: Run, tmp_path: Path, source: Path, result: Path) -> None:
    broken = copy(result, tmp_path / "broken.mp4", "-aspect", "4:3")
    assert faults(report(run, source, broken, 7))["picture data"][0].startswith("aspect ratio")


def test_a_lost_rotation_is_named(run: Run, tmp_path: Path, source: Path) -> None:
    turned = tmp_path / "turned.mp4"
    ffmpeg("-i", source, "-c", "copy", "-metadata:s:v:0", "rotate=90", turned)
    report(run, turned, copy(turned, tmp_path / "same.mp4"), 0)
    broken = tmp_path / "broken.mp4"
    ffmpeg("-i", turned, "-c", "copy", "-metadata:s:v:0", "rotate=0", broken)
    assert "rotated by" in faults(report(run, turned, broken, 7))["picture data"][0]


def test_a_cut_matroska_file_is_a_difference(run: Run, tmp_path: Path, source: Path) -> None:
    out = enhance(source, tmp_path / "out.mkv")
    data = out.read_bytes()
    out.write_bytes(data[: len(data) * 6 // 10])
    found = faults(report(run, source, out, 7))
    assert "missing" in found["frames"][0]
    assert "ends in the middle" in " ".join(found["decoding"])


def test_a_cut_mp4_file_cannot_be_used(run: Run, tmp_path: Path, source: Path, result: Path) -> None:
    broken = tmp_path / "broken.mp4"
    data = result.read_bytes()
    broken.write_bytes(data[: len(data) // 2])
    done = run("verify", source, broken)
    assert done.returncode == 3
    assert "broken.mp4" in done.stderr
    assert run("verify", source, tmp_path / "missing.mp4").returncode == 3


def test_damaged_video_data_is_a_decoding_error(run: Run, tmp_path: Path, source: Path, result: Path) -> None:
    broken = damaged_at(tmp_path / "broken.mp4", result, packet_position(result, "v", 12) + 8, 40)
    found = faults(report(run, source, broken, 7))
    assert "decoding" in found or "damaged frames" in found


# The command


def test_the_text_names_every_check_and_the_verdict(run: Run, tmp_path: Path, source: Path, result: Path) -> None:
    before = files_in(tmp_path)
    done = run("verify", source, result)
    assert done.returncode == 0
    assert done.stderr == ""  # quicker than what progress is shown for
    for name in ("frames", "frame times", "frame order", "packets", "picture data", "decoding", "scenes"):
        assert f"same      {name}" in done.stdout
    assert files_in(tmp_path) == before  # nothing is written


def test_enhance_can_verify_its_own_output(run: Run, tmp_path: Path, source: Path) -> None:
    done = run("enhance", source, "-o", "out.mp4", "--verify", *QUICK)
    assert done.returncode == 0, done.stderr
    assert "holds what its source promises" in done.stdout
    assert (tmp_path / "out.mp4").exists()


def test_options_out_of_range_are_refused(run: Run, source: Path, result: Path) -> None:
    done = run("verify", source, result, "--psnr-margin", "many")
    assert done.returncode == 2
    assert "--psnr-margin" in done.stderr
