"""Reader, Enhancer, Writer: views without copies, lifetimes, kinds, and the files that come out."""

from __future__ import annotations

import gc
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import millstream
import numpy as np
import pytest
from conftest import ffmpeg, files_in, make_video, stream
from millstream import OptionWords

PLAIN: OptionWords = {"model": "identity", "scale": 1, "temporal": "off"}
TINY: OptionWords = {"model": "realesr-animevideov3", "scale": 2, "colour_fix": "lowpass"}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("clip") / "clip.mp4", size="96x64", frames=10)


def torch_or_skip() -> None:
    pytest.importorskip("torch", exc_type=ImportError, reason="Python's own torch cannot be imported here")


def test_frames_are_the_pictures_that_opencv_sees(video: Path) -> None:
    capture = cv2.VideoCapture(str(video))
    for index, frame in enumerate(millstream.Reader(video)):
        read, theirs = capture.read()
        assert read
        ours = frame.numpy()
        assert (ours.shape, str(ours.dtype), frame.index) == ((90, 160, 3), "uint8", index)
        # OpenCV's chroma is that of the nearest sample, ours is interpolated: edges of saturated colours differ.
        difference = np.abs(theirs.astype(int) - ours)
        assert np.median(difference) <= 2
        assert difference.mean() < 8 < np.abs(theirs[..., ::-1].astype(int) - ours).mean()
    assert not capture.read()[0]


def test_r2_1_each_representation_is_written_once_and_handed_out_as_a_view(video: Path) -> None:
    reader = millstream.Reader(video)
    frame = next(reader)
    assert reader.counts["planar_writes"] == 0  # nothing before somebody asks
    planar, again = frame.numpy("float"), frame.numpy("float")
    assert reader.counts["planar_writes"] == 1
    assert planar.ctypes.data == again.ctypes.data
    first, second = frame.numpy(), frame.numpy("bgr")
    assert first.ctypes.data == second.ctypes.data
    assert (reader.counts["planar_writes"], reader.counts["packed_writes"]) == (1, 1)
    rgb = frame.numpy("rgb")
    assert reader.counts["packed_writes"] == 2  # the other order is another representation
    np.testing.assert_array_equal(rgb[..., ::-1], first)
    np.testing.assert_array_equal(np.floor(np.clip(planar, 0, 1) * 255 + np.float32(0.5)).astype(np.uint8), rgb)


def test_torch_tensors_share_the_memory_with_numpy(video: Path) -> None:
    torch_or_skip()
    reader = millstream.Reader(video)
    frame = next(reader)
    tensor = frame.torch()
    assert tuple(tensor.shape) == (3, 90, 160)
    assert tensor.data_ptr() == frame.numpy("float").ctypes.data
    tensor[1, 2, 3] = 0.25
    assert frame.numpy("float")[2, 3, 1] == 0.25
    assert reader.counts["planar_writes"] == 1


def test_r2_5_memory_goes_back_with_the_last_reference_and_is_used_again(video: Path) -> None:
    reader = millstream.Reader(video)
    arrays = []
    for frame in reader:
        arrays.append(frame.numpy())
        arrays = arrays[-2:]  # two frames at a time, whatever the length
    del frame
    gc.collect()
    assert reader.counts["live"] == 0
    assert reader.counts["packed_writes"] == 24
    # A planar one in use and one becoming so, two packed held and one on the way; never one a frame.
    assert reader.counts["buffers"] <= 6
    assert reader.counts["buffers_in_use"] == 2  # the two arrays: memory, not frames
    arrays.pop()
    gc.collect()
    assert reader.counts["buffers_in_use"] == 1
    arrays.clear()
    gc.collect()
    assert reader.counts["buffers_in_use"] == 0


def test_a_view_outlives_frame_and_reader(video: Path) -> None:
    reader = millstream.Reader(video)
    array = next(reader).numpy()
    expected = array.copy()
    del reader
    gc.collect()
    np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize("order", ["bgr", "rgb"])
def test_an_identity_gives_back_what_it_was_given(order: str) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (50, 70, 3), dtype=np.uint8)
    enhanced = millstream.Enhancer(order=order, **PLAIN)(picture)
    np.testing.assert_array_equal(enhanced, picture)


def test_bgr_and_rgb_give_the_same_picture_in_their_own_order() -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[..., 2] = 200  # red, in OpenCV's order
    picture[:, 32:, 0] = 90
    bgr = millstream.Enhancer(**TINY)(picture)
    rgb = millstream.Enhancer(order="rgb", **TINY)(np.ascontiguousarray(picture[..., ::-1]))
    assert bgr.shape == (96, 128, 3)
    np.testing.assert_array_equal(bgr[..., ::-1], rgb)
    assert bgr[48, 16, 2] > 150 > bgr[48, 16, 0]


def test_what_goes_in_as_a_tensor_comes_out_as_one_batches_too() -> None:
    torch_or_skip()
    import torch

    enhancer = millstream.Enhancer(**TINY)
    pictures = torch.rand(2, 3, 40, 48, generator=torch.Generator().manual_seed(1))
    both = enhancer(pictures)
    assert isinstance(both, torch.Tensor)
    assert tuple(both.shape) == (2, 3, 80, 96)
    assert torch.equal(enhancer(pictures[1]), both[1])
    array = enhancer(pictures[1].numpy())
    assert isinstance(array, np.ndarray)
    np.testing.assert_array_equal(array, both[1].numpy())


def test_r2_4_a_loop_writes_each_representation_once_a_frame_and_no_other(clip: Path, tmp_path: Path) -> None:
    reader = millstream.Reader(clip)
    enhancer = millstream.Enhancer(**PLAIN)
    with millstream.Writer(tmp_path / "frames.mkv", like=reader, preset="ultrafast") as writer:
        for frame in enhancer.stream(reader):
            writer.write(frame)
    assert (reader.counts["planar_writes"], reader.counts["packed_writes"]) == (10, 0)
    assert (enhancer.counts["planar_writes"], enhancer.counts["packed_writes"]) == (10, 0)
    del frame
    assert (reader.counts["live"], enhancer.counts["live"]) == (0, 0)  # R2.5

    reader, enhancer = millstream.Reader(clip), millstream.Enhancer(**PLAIN)
    for picture in enhancer.stream(frame.numpy() for frame in reader):  # as OpenCV has them, in and out
        assert picture.dtype == np.uint8
    assert (reader.counts["planar_writes"], reader.counts["packed_writes"]) == (10, 10)
    assert (enhancer.counts["planar_writes"], enhancer.counts["packed_writes"]) == (10, 10)


def test_a_read_only_array_is_copied_because_views_of_a_frame_can_be_written_to() -> None:
    content = bytes(range(48)) * 8
    picture = np.frombuffer(content, np.uint8).reshape(8, 16, 3)  # as pictures come from a pipe
    frame = millstream.frame_of(picture)
    frame.numpy()[:] = 7
    assert content == bytes(range(48)) * 8
    np.testing.assert_array_equal(millstream.Enhancer(**PLAIN)(picture), picture)


def test_tensors_that_training_has_made_are_taken_and_those_elsewhere_refused_in_words() -> None:
    torch_or_skip()
    import torch

    enhanced = millstream.Enhancer(**PLAIN)(torch.rand(3, 16, 16, requires_grad=True))
    assert not enhanced.requires_grad
    with pytest.raises(TypeError, match=r"lie on meta.*cpu\(\)"):
        millstream.frame_of(torch.empty(3, 16, 16, device="meta"))


def test_options_without_effect_are_refused(clip: Path, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="crf: no use for Enhancer"):
        millstream.Enhancer(model="identity", crf=18)
    with pytest.raises(TypeError, match="scale: no use for Reader"):
        millstream.Reader(clip, scale=2)
    reader = millstream.Reader(clip)
    with pytest.raises(TypeError, match="temporal: no use for Writer"):
        millstream.Writer(tmp_path / "out.mp4", like=reader, temporal="off")
    listed = set(re.findall(r"\w+", re.split("Options:", millstream.Writer.__doc__ or "")[1]))
    without = {"reports", "metrics_file", "strict_io", "chunk", "runner", "video_stream", "crop", "deinterlace"}
    assert without <= set(OptionWords.__annotations__) - listed  # those that help() lists are taken, no others
    for name in set(OptionWords.__annotations__) - listed:
        with pytest.raises(TypeError, match=f"{name}: no use for Writer"):
            millstream.Writer(tmp_path / "out.mp4", like=reader, **{name: "1"})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="the Reader of the video"):
        millstream.Writer(tmp_path / "out.mp4", like=str(clip))  # type: ignore[arg-type]
    with pytest.raises(millstream.Error, match="no such option"):
        millstream.Reader(clip, vidoe_stream=0)  # type: ignore[call-arg]


def test_integers_need_a_whole_video_to_be_fitted_to() -> None:
    with pytest.raises(millstream.Error, match="whole video"):
        millstream.Enhancer("identity", precision="int8")


def test_inputs_are_taken_without_a_copy_and_left_as_they_are() -> None:
    picture = np.random.default_rng(2).random((3, 32, 32), dtype=np.float32)
    before = picture.copy()
    frame = millstream.frame_of(picture)
    assert frame.numpy("float").ctypes.data == picture.ctypes.data
    millstream.Enhancer(**TINY)(picture)
    np.testing.assert_array_equal(picture, before)


def test_what_is_no_picture_is_refused_in_words() -> None:
    enhancer = millstream.Enhancer(**PLAIN)
    with pytest.raises(TypeError, match=r"uint8 \(H, W, 3\).*float64"):
        enhancer(np.zeros((8, 8, 3)))
    with pytest.raises(millstream.Error, match="side by side"):
        enhancer(np.zeros((8, 16, 3), np.uint8)[:, ::2])
    with pytest.raises(TypeError, match="not NoneType"):
        list(enhancer.stream([None]))


def test_a_loop_of_reader_enhancer_and_writer_gives_the_file_that_enhance_gives(clip: Path, tmp_path: Path) -> None:
    options: OptionWords = {"model": "realesr-animevideov3", "temporal": "medium"}
    encoding: OptionWords = {"preset": "ultrafast", "crf": 10}
    millstream.enhance(clip, tmp_path / "job.mkv", **options, **encoding)  # type: ignore[misc]
    reader = millstream.Reader(clip)
    with millstream.Writer(tmp_path / "loop.mkv", like=reader, **encoding) as writer:
        for frame in millstream.Enhancer(**options).stream(reader):
            writer.write(frame)
    assert set(files_in(tmp_path)) == {"job.mkv", "loop.mkv"}
    assert stream(tmp_path / "loop.mkv", "audio")["codec_name"] == "aac"
    assert millstream.verify(clip, tmp_path / "loop.mkv").holds
    for ours, theirs in zip(
        millstream.Reader(tmp_path / "loop.mkv"), millstream.Reader(tmp_path / "job.mkv"), strict=True
    ):
        assert ours.time_s == theirs.time_s
        difference = np.abs(ours.numpy().astype(int) - theirs.numpy())
        assert difference.mean() < 0.5  # the same pictures, tiled and encoded with other memory plans


def test_arrays_are_written_at_the_sources_times(clip: Path, tmp_path: Path) -> None:
    reader = millstream.Reader(clip)
    with millstream.Writer(tmp_path / "out.mp4", like=reader, preset="ultrafast") as writer:
        for frame in reader:
            writer.write(255 - frame.numpy(), at=frame)
    times = [frame.time_s for frame in millstream.Reader(tmp_path / "out.mp4")]
    assert times == [frame.time_s for frame in millstream.Reader(clip)]
    first, negative = next(millstream.Reader(clip)).numpy(), next(millstream.Reader(tmp_path / "out.mp4")).numpy()
    assert np.abs(255 - first.astype(int) - negative).mean() < 8


def test_a_writer_that_is_left_by_an_exception_leaves_no_file(clip: Path, tmp_path: Path) -> None:
    reader = millstream.Reader(clip)

    def fail() -> None:
        with millstream.Writer(tmp_path / "out.mp4", like=reader, preset="ultrafast") as writer:
            writer.write(next(reader))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert files_in(tmp_path) == {}


def test_interlaced_video_is_deinterlaced_and_said_to_be_progressive_unless_it_is_left_as_it_is(tmp_path: Path) -> None:
    weave = "testsrc2=size=192x144:rate=50:duration=1.2,scroll=horizontal=0.02,interlace=scan=tff:lowpass=off"
    coding = ["-c:v", "libx264", "-crf", "10", "-flags", "+ilme+ildct", "-x264-params", "tff=1"]
    ffmpeg("-f", "lavfi", "-i", weave, *coding, tmp_path / "in.mkv")

    def through(name: str, **options: str) -> tuple[int, str]:
        reader = millstream.Reader(tmp_path / "in.mkv", **options)  # type: ignore[arg-type]
        with millstream.Writer(tmp_path / name, like=reader, preset="ultrafast") as writer:
            for frame in reader:
                writer.write(frame)
        return writer_frames(tmp_path / name), stream(tmp_path / name, "video").get("field_order", "unknown")

    def writer_frames(path: Path) -> int:
        return int(stream(path, "video")["nb_read_frames"])

    assert through("auto.mkv") == (30, "progressive")
    assert through("fields.mkv", deinterlace="field") == (60, "progressive")
    frames, order = through("off.mkv", deinterlace="off")
    assert (frames, order in {"tt", "tb", "bb", "bt"}) == (30, True)
    assert millstream.verify(tmp_path / "in.mkv", tmp_path / "off.mkv", fields_kept=True).holds
    assert not millstream.verify(tmp_path / "in.mkv", tmp_path / "auto.mkv", fields_kept=True).holds
    torn, whole = (next(iter_from(tmp_path / "in.mkv", how, 8)).numpy().astype(int) for how in ("off", "auto"))
    assert lines_apart(whole) < 0.7 * lines_apart(torn)


def iter_from(path: Path, deinterlace: str, skipped: int) -> millstream.Reader:
    reader = millstream.Reader(path, deinterlace=deinterlace)
    for _ in range(skipped):
        next(reader)
    return reader


def lines_apart(picture: Any) -> float:
    """How much lines differ from the mean of their neighbours: fields of two instants are torn apart."""
    return float(np.abs(picture[1:-1] - (picture[:-2] + picture[2:]) / 2).mean())


def test_a_writer_makes_no_alpha_plane_because_frames_have_none(tmp_path: Path) -> None:
    source = "testsrc2=size=64x48:rate=24,format=yuva444p"
    ffmpeg("-f", "lavfi", "-i", source, "-frames:v", "3", "-c:v", "ffv1", str(tmp_path / "in.mkv"))
    reader = millstream.Reader(tmp_path / "in.mkv")
    with millstream.Writer(tmp_path / "out.mkv", like=reader, encoder="ffv1") as writer:
        for frame in reader:
            writer.write(frame)
    assert stream(tmp_path / "in.mkv", "video")["pix_fmt"] == "yuva444p"
    assert "a" not in stream(tmp_path / "out.mkv", "video")["pix_fmt"].removeprefix("yuv")


def test_an_enhancer_has_one_stream_at_a_time_and_leaving_it_drops_what_is_in_flight(clip: Path) -> None:
    enhancer = millstream.Enhancer(**TINY)
    first = enhancer.stream(millstream.Reader(clip))
    next(first)
    with pytest.raises(RuntimeError, match="a stream of this enhancer is open"):
        next(enhancer.stream(millstream.Reader(clip)))
    with pytest.raises(RuntimeError, match="a stream of this enhancer is open"):
        enhancer(np.zeros((64, 96, 3), np.uint8))
    made = enhancer.counts["planar_writes"]
    first.close()
    assert enhancer.counts["planar_writes"] == made < 10
    assert len(list(enhancer.stream(millstream.Reader(clip)))) == 10


def test_threads_that_share_an_enhancer_wait_for_each_other_and_get_their_own_pictures() -> None:
    enhancer = millstream.Enhancer(**TINY)
    generator = np.random.default_rng(3)
    pictures = [generator.integers(0, 256, (40, 48, 3), dtype=np.uint8) for _ in range(8)]
    expected = [enhancer(picture) for picture in pictures]
    with ThreadPoolExecutor(4) as threads:
        for ours, theirs in zip(threads.map(enhancer, pictures), expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_threads_that_share_a_reader_get_each_frame_once(clip: Path) -> None:
    reader = millstream.Reader(clip)
    with ThreadPoolExecutor(4) as threads:
        parts = threads.map(lambda _: [frame.index for frame in reader], range(4))
        assert sorted(index for part in parts for index in part) == list(range(10))


def test_a_stream_keeps_several_frames_in_flight_but_never_the_video(clip: Path) -> None:
    reader = millstream.Reader(clip)
    most = 0
    for _ in millstream.Enhancer(**TINY).stream(reader):
        most = max(most, reader.counts["live"])
    assert 1 <= most <= 8
