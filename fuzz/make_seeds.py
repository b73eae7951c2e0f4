"""Small good inputs for the fuzz targets to start from: make_seeds.py FOLDER makes FOLDER/TARGET/*.

Videos come from FFmpeg's test source, networks are written here; nothing is fetched."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

# File name -> what ffmpeg encodes it with. Five frames of 48x32, so that a mutation hits something that matters.
VIDEOS = {
    "h264.mp4": "-c:v libx264 -preset veryfast -bf 2",
    "h264_fragmented.mp4": "-c:v libx264 -preset ultrafast -movflags frag_keyframe+empty_moov",
    "h264_interlaced.ts": "-c:v libx264 -preset ultrafast -flags +ildct+ilme -x264opts tff=1",
    "h264_10bit.mkv": "-c:v libx264 -preset ultrafast -pix_fmt yuv422p10le",
    "h264.flv": "-c:v libx264 -preset ultrafast",
    "raw.h264": "-c:v libx264 -preset ultrafast",
    "hevc.mkv": "-c:v libx265 -preset ultrafast -x265-params log-level=error",
    "hevc_12bit.mp4": "-c:v libx265 -preset ultrafast -pix_fmt yuv444p12le -s 64x64 -x265-params log-level=error",
    "vp8.webm": "-c:v libvpx -deadline realtime",
    "vp9.webm": "-c:v libvpx-vp9 -deadline realtime -cpu-used 8",
    "av1.mp4": "-c:v libaom-av1 -usage realtime -cpu-used 8",
    "av1.ivf": "-c:v libaom-av1 -usage realtime -cpu-used 8",
    "mpeg2.ts": "-c:v mpeg2video -bf 1",
    "mpeg2_interlaced.mpg": "-c:v mpeg2video -flags +ildct+ilme",
    "mpeg4.avi": "-c:v mpeg4 -bf 1",
    "mjpeg.avi": "-c:v mjpeg -pix_fmt yuvj422p",
    "still.jpg": "-c:v mjpeg -pix_fmt yuvj420p -frames:v 1 -update 1",
    "prores.mov": "-c:v prores_ks -profile:v 4444 -pix_fmt yuva444p10le",
    "png.mov": "-c:v png -pix_fmt rgba",
    "still.png": "-c:v png -pix_fmt pal8 -frames:v 1 -update 1",
    "deep.png": "-c:v png -pix_fmt rgb48be -frames:v 1 -update 1",
    "animation.gif": "-c:v gif",
    "still.webp": "-c:v libwebp -frames:v 1 -update 1",
    "still.tiff": "-c:v tiff -frames:v 1 -update 1",
    "still.bmp": "-c:v bmp -frames:v 1 -update 1",
    "ffv1.mkv": "-c:v ffv1 -level 3 -pix_fmt gbrp",
    "huffyuv.avi": "-c:v ffvhuff -pix_fmt yuv411p",
    "dnxhd.mxf": "-c:v dnxhd -profile:v dnxhr_lb -s 256x120 -frames:v 2",
    "theora.ogg": "-c:v libtheora",
    "wmv.asf": "-c:v wmv2",
    "raw.nut": "-c:v rawvideo -pix_fmt uyvy422",
    "gray.y4m": "-c:v wrapped_avframe -pix_fmt gray",
}
SOUND = {"h264.mp4", "h264.flv", "hevc.mkv", "mpeg2.ts", "wmv.asf"}


def make_videos(folder: Path) -> None:
    for name, encoding in VIDEOS.items():
        sound = ["-f", "lavfi", "-i", "sine=duration=0.2", "-ac", "1"] if name in SOUND else []
        command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=48x32:rate=25:duration=0.2"]
        command += [*sound, "-threads", "1", *encoding.split(), "-fflags", "+bitexact", str(folder / name)]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode != 0:  # an ffmpeg without this encoder
            print(f"  no seed {name}: {made.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
            (folder / name).unlink(missing_ok=True)


def floats(count: int) -> bytes:
    return struct.pack(f"<{count}f", *((i % 7) * 0.01 for i in range(count)))


def tagged(count: int) -> bytes:
    """Weights behind ncnn's tag for plain floats."""
    return bytes(4) + floats(count)


def halves(count: int) -> bytes:
    """Weights as half floats, padded to four bytes."""
    return (
        struct.pack("<I", 0x01306B47)
        + struct.pack(f"<{count}e", *((i % 7) * 0.01 for i in range(count)))
        + bytes(count % 2 * 2)
    )


# Name -> layers behind the input, and weights. Together they use every kind of layer.
NETWORKS: dict[str, tuple[list[str], bytes]] = {
    "shuffle": (
        ["Convolution body 1 1 data wide 0=12 1=3 4=1 5=1 6=324", "PixelShuffle shuffle 1 1 wide output 0=2"],
        tagged(324) + floats(12),
    ),
    "half": (
        ["Convolution body 1 1 data wide 0=3 1=1 6=9 9=2 -23310=1,0.1", "Sigmoid end 1 1 wide output"],
        halves(9),
    ),
    "skip": (
        [
            "Split split 1 3 data a b c",
            "Convolution body 1 1 a d 0=3 1=3 4=1 6=81 9=1",
            "PReLU slope 1 1 d e 0=3",
            "BinaryOp sum 2 1 b e f 0=0",
            "Eltwise mix 2 1 f c g 0=1 -23301=2,0.5,2.0",
            "BinaryOp times 1 1 g output 0=2 1=1 2=0.5",
        ],
        tagged(81) + floats(3),
    ),
    "resample": (
        [
            "Interp up 1 1 data a 0=3 1=4.0 2=4.0",
            "Swish swish 1 1 a b",
            "Interp down 1 1 b c 0=2 1=0.5 2=0.5",
            "ReLU relu 1 1 c output 0=0.1",
        ],
        b"",
    ),
    "transposed": (
        [
            "Padding pad 1 1 data a 0=2 1=2 2=2 3=2 4=1",
            "DeconvolutionDepthWise up 1 1 a b 0=3 1=4 3=2 4=1 6=48 7=3",
            "Crop cut 1 1 b c -23309=2,4,4 -23310=2,-4,-4 -23311=2,1,2",
            "Noop same 1 1 c output",
        ],
        tagged(48),
    ),
    "constant": (
        [
            "MemoryData mean 0 1 m 0=1 1=1 2=3",
            "BinaryOp less 2 1 data m a 0=1",
            "Concat both 2 1 data a b 0=0",
            "ConvolutionDepthWise thin 1 1 b c 0=6 1=3 4=1 6=54 7=6",
            "Convolution end 1 1 c output 0=3 1=1 6=18",
        ],
        floats(3) + tagged(54) + tagged(18),
    ),
}


def make_networks(folder: Path) -> None:
    """The .param, a zero byte, the .bin."""
    for name, (layers, weights) in NETWORKS.items():
        lines = ["Input input 0 1 data", *layers]
        blobs = sum(int(line.split()[3]) for line in lines)
        param = f"7767517\n{len(lines)} {blobs}\n" + "\n".join(lines) + "\n"
        (folder / name).write_bytes(param.encode() + b"\0" + weights)


# A byte that chooses the name (0 JSON, 1 YAML, 2 neither) and a file.
CONFIGURATIONS = {
    "sections.json": b"\0"
    + b"""{"streaming": {"enabled": true, "max_memory_mb": 4096, "checkpoint_interval": 200},
 "video": {"ai_model": "real_esrgan", "quality_presets": {"fast": {"tile_size": 256, "batch_size": 4}},
  "output": {"codec": "libx264", "crf": 18}}, "performance": {"use_gpu": true, "gpu_id": 0, "max_memory_usage": 0.7},
 "millstream": {"encoder_options": {"tune": "grain"}, "crop": [8, 8, 0, 0], "reports": ["a.json"]}}""",
    "preset.yaml": b"\1"
    + b"""name: small
quality_level: fast
target_resolution: 3840x2160
tile_size: 512
memory_usage: 0.6
noise_reduction: &a {low: 0.1}
reverb_reduction: 1.5e-1
temp_dir: ~
paths: {presets_dir: ./presets, temp_dir: /tmp/x}
ui: {<<: *a, auto_cleanup: off}
""",
    "flat.conf": b"\2" + b"batch_size: 2\ncreated_at: 2024-01-01\n_metadata: [1, 0x1f, .inf, yes, null]\n",
}


def make_configurations(folder: Path) -> None:
    for name, content in CONFIGURATIONS.items():
        (folder / name).write_bytes(content)


# A byte that chooses the parser (0 start codes, 1 to 4 bytes of a length, 5 dialogue, 6 EBML, 7 boxes) and its bytes.
PACKETS = {
    "start_codes": b"\0\0\0\0\1\x67\x42\0\0\1\x68\xce\0\0\0\1\x65\x88\x84\0",
    "lengths": b"\4\0\0\0\2\x67\x42\0\0\0\3\x65\x88\x84",
    "short_lengths": b"\1\2\x67\x42\3\x65\x88\x84",
    "dialogue": b"\5" + rb"0,0,Default,,0,0,0,,{\i1}Hello{\i0}\Nthere\h!",
    "elements": b"\6\x1a\x45\xdf\xa3\x84\x42\x86\x81\x01\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff\xec\x80",
    "boxes": b"\7\0\0\0\x10ftypisom\0\0\2\0\0\0\0\1mdat\0\0\0\0\0\0\0\x10\0\0\0\x08free",
}


def make_packets(folder: Path) -> None:
    for name, content in PACKETS.items():
        (folder / name).write_bytes(content)


# Of a job of two chunks. The first byte: 0 a whole file, 1 the content of one.
CHECKPOINT = b"""{"program": "millstream 0.1.0", "input": "/film.mkv", "asked": {"crf": null, "scale": 2},
"filtered": false, "model_sha256": "00", "source": {"bytes": 1, "modified_ns": 2, "ends_sha256":
"00"}, "resolved": {"backend": "torch", "precision": "fp32", "int8": "", "halo": 8, "blend": 0,
"tile_width": 0, "tile_height": 0, "reuse": "off", "encoder": "libx264", "pixel_format": "yuv420p",
"width": 64, "height": 48, "preset": "fast", "encoder_threads": 1, "lookahead": 40, "references": 3,
"b_frames": 3, "chunk_frames": 24, "index_bytes": 0}, "output": {"frames": 24, "bytes": 1000,
"pieces": 1, "complete": false, "first_pts": 0, "last_pts": [0, 512], "last_duration": 512,
"last_dts_index": 21, "video_bytes": 900, "level": 10, "parameter_sets": "00", "tracks":
[{"first_dts": -1024, "first_pts": 0, "last_dts": null, "rescaling": null, "shown_last": 512, "end":
1024, "late": false}], "copied": [{"packets": 3, "last_dts": 4, "last_bytes": 5, "last_check": 6}],
"copies_repaired": false, "copied_packets": 3, "repaired_packets": 0, "damaged_packets": 0},
"last_frame_sha256": "00", "source_repaired": false, "rate": {"crf": 18, "max_rate": 0,
"max_buffer": 0}, "governor": {"seconds": 1.0, "natural_bytes": 900.0, "last_crf": 18}, "done_s":
1.0, "written_other": 100}"""


def make_checkpoints(folder: Path) -> None:
    (folder / "content").write_bytes(b"\1" + CHECKPOINT)
    begun = b"""{"format": "millstream checkpoint", "version": 4, "begun": true}"""
    (folder / "begun").write_bytes(b"\0" + begun)
    damaged = b"""{"format": "millstream checkpoint", "version": 4, "content": %s, "sha256": "00"}""" % CHECKPOINT
    (folder / "damaged").write_bytes(b"\0" + damaged)


SEEDS: dict[str, Callable[[Path], None]] = {
    "fuzz_checkpoint": make_checkpoints,
    "fuzz_config": make_configurations,
    "fuzz_media": make_videos,
    "fuzz_ncnn": make_networks,
    "fuzz_packets": make_packets,
}


def main() -> None:
    for target, make in SEEDS.items():
        folder = Path(sys.argv[1]) / target
        folder.mkdir(parents=True, exist_ok=True)
        make(folder)


if __name__ == "__main__":
    main()
