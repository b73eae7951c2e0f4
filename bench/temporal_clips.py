"""Material for the temporal bench: an original, the small noisy or compressed version of it that the program gets, and,
where the motion was made here, the true motion."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from temporal_metrics import Field, Frame, Mask

RAW = "-f rawvideo -pix_fmt rgb24"


@dataclass
class Clip:
    name: str
    truth: list[Frame]  # twice the size of small
    small: list[Frame]
    flow: list[Field] | None = None  # true backward flow in pixels of small, [h,w,2], one a frame, the first unused
    visible: list[Mask] | None = None  # where it is known
    fast: bool = False  # fast camera work


def video_size(path: Path) -> tuple[int, int]:
    """Width and height of the first video stream."""
    asked = "-v error -select_streams v:0 -show_entries stream=width,height -of csv=p=0"
    found = subprocess.run(["ffprobe", *asked.split(), str(path)], check=True, capture_output=True, text=True).stdout
    width, height = found.strip().strip(",").split(",")
    return int(width), int(height)


def read(path: Path, frames: int, start: float = 0) -> list[Frame]:
    """Frames of the first video stream, from `start` seconds on, as they are."""
    width, height = video_size(path)
    wanted = f"-map 0:v:0 -frames:v {frames} {RAW} -"
    command = ["ffmpeg", "-v", "error", "-ss", str(start), "-i", str(path), *wanted.split()]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    return list(np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3))


def scaled(frames: list[Frame], width: int, height: int) -> list[Frame]:
    """By area; the frames themselves if they have that size."""
    if frames[0].shape[:2] == (height, width):
        return frames
    return [np.asarray(cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA), np.uint8) for frame in frames]


def compressed(frames: list[Frame], crf: int, group: int, folder: Path) -> list[Frame]:
    """What x264 leaves of them."""
    height, width = frames[0].shape[:2]
    path = folder / "small.mp4"
    coded = f"{RAW} -s {width}x{height} -r 25 -i - -c:v libx264 -crf {crf} -g {group} -pix_fmt yuv420p"
    command = ["ffmpeg", "-v", "error", "-y", *coded.split(), str(path)]
    subprocess.run(command, check=True, input=b"".join(frame.tobytes() for frame in frames))
    return read(path, len(frames))


def halved(frames: list[Frame]) -> list[Frame]:
    return scaled(frames, frames[0].shape[1] // 2, frames[0].shape[0] // 2)


def real_clip(path: Path, folder: Path, frames: int, most_width: int, start: float = 0) -> Clip:
    """A real film: the small version is half the size, x264 crf 27."""
    width, height = video_size(path)
    factor = min(1.0, most_width / width)
    truth = scaled(read(path, frames, start), int(width * factor) // 4 * 4, int(height * factor) // 4 * 4)
    return Clip(path.stem, truth, compressed(halved(truth), 27, 25, folder))


def texture(height: int, width: int, seed: int) -> Frame:
    """A picture with detail of every size: noise of five octaves, and some hard-edged discs."""
    random = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3), np.float32)
    for octave in range(5):
        step = 4 << octave
        coarse = random.normal(0, 1, (height // step + 3, width // step + 3, 3)).astype(np.float32)
        fine = cv2.resize(coarse, None, fx=step, fy=step, interpolation=cv2.INTER_CUBIC)
        picture += fine[:height, :width] * (6.0 * 1.5**octave)
    for _ in range(height * width // 6000):
        centre = (int(random.integers(width)), int(random.integers(height)))
        colour = tuple(float(v) for v in random.normal(0, 45, 3))
        patch = np.zeros_like(picture)
        cv2.circle(patch, centre, int(random.integers(6, 40)), colour, -1, cv2.LINE_AA)
        picture += patch
    return np.clip(picture + 128, 0, 255).astype(np.uint8)


@dataclass
class Movement:
    """Of a camera over a background, and of a round sprite before it; pixels, radians and factors a frame."""

    pan: tuple[float, float] = (0.74, -0.42)
    rotation: float = 0.0006
    zoom: float = 1.0012
    sprite: tuple[float, float] = (-3.3, 1.7)
    radius: float = 70.0


SLOW = Movement()
FAST = Movement(pan=(9.4, 3.1), rotation=0.002, zoom=1.003, sprite=(-14.6, 5.2))


@dataclass
class Stills:
    """What moves in a scene."""

    background: Frame
    front: Frame


def generated() -> Stills:
    return Stills(texture(720, 1280, 1), texture(380, 440, 2))


def photographs(folder: Path) -> Stills | None:
    """A garden, and roofs before it, where the folder has them."""

    def picture(name: str, width: int, height: int) -> Frame | None:
        bgr = cv2.imread(str(folder / name))
        return None if bgr is None else scaled([np.asarray(bgr[..., ::-1], np.uint8)], width, height)[0]

    background, front = picture("vacation_2017.jpg", 1280, 720), picture("london.jpg", 560, 420)
    if background is None or front is None:
        return None
    return Stills(background, np.ascontiguousarray(front[:, 60:500]))


class Scene:
    """Draws frames of a movement and knows the flow between them."""

    def __init__(self, movement: Movement, frames: int, height: int, width: int, stills: Stills) -> None:
        self.movement, self.frames, self.height, self.width = movement, frames, height, width
        self.background, self.front = stills.background, stills.front

    def camera(self, t: float) -> NDArray[np.float64]:
        """Frame coordinates -> background coordinates, 3x3."""
        m = self.movement
        angle, size = m.rotation * t, m.zoom**t
        turn = np.array(
            [[np.cos(angle), -np.sin(angle), 0.0], [np.sin(angle), np.cos(angle), 0.0], [0.0, 0.0, 1.0]]
        ) * np.array([[size], [size], [1.0]])
        middle = np.array([[1, 0, -(self.width - 1) / 2], [0, 1, -(self.height - 1) / 2], [0, 0, 1.0]])
        late = t - self.frames / 2
        centre_y, centre_x = self.background.shape[0] / 2, self.background.shape[1] / 2
        place = np.array([[1, 0, centre_x + m.pan[0] * late], [0, 1, centre_y + m.pan[1] * late], [0, 0, 1.0]])
        return np.asarray(place @ turn @ middle, np.float64)

    def centre(self, t: float) -> tuple[float, float]:
        late = t - self.frames / 2
        x, y = self.movement.sprite
        return self.width / 2 + x * late, self.height / 2 + y * late

    def cover(self, x: Field, y: Field, t: float) -> Field:
        """How much of a place the sprite covers, 0..1."""
        cx, cy = self.centre(t)
        distance = np.hypot((x - cx) * 0.8, y - cy)
        return np.asarray(np.clip((self.movement.radius - distance) / 1.5 + 0.5, 0, 1), np.float32)

    def draw(self, t: int) -> Frame:
        def look(picture: Frame, matrix: NDArray[np.float64]) -> Field:
            flags = cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP
            size = (self.width, self.height)
            seen = cv2.warpAffine(picture, matrix[:2], size, flags=flags, borderMode=cv2.BORDER_REFLECT)
            return np.asarray(seen, np.float32)

        cx, cy = self.centre(t)
        shift = np.array([[1, 0, self.front.shape[1] / 2 - cx], [0, 1, self.front.shape[0] / 2 - cy]])
        y, x = np.mgrid[0 : self.height, 0 : self.width].astype(np.float32)
        cover = self.cover(x, y, t)[..., None]
        mixed = look(self.background, self.camera(t)) * (1 - cover) + look(self.front, shift) * cover
        return np.asarray(mixed.round().clip(0, 255), np.uint8)

    def flow(self, t: int) -> tuple[Field, Mask]:
        """True backward flow of frame t in pixels of half the size, and where it can be seen in the frame before."""
        y, x = np.mgrid[0 : self.height // 2, 0 : self.width // 2].astype(np.float64) * 2 + 0.5
        places = np.stack([x, y, np.ones_like(x)], -1)
        behind = (places @ (np.linalg.inv(self.camera(t - 1)) @ self.camera(t)).T)[..., :2] - places[..., :2]
        front = np.array(self.centre(t - 1)) - np.array(self.centre(t))
        cover = self.cover(x, y, t)
        flow = np.where(cover[..., None] > 0.5, front, behind)
        to = places[..., :2] + flow
        inside = (to >= 0).all(-1) & (to[..., 0] <= self.width - 1) & (to[..., 1] <= self.height - 1)
        hidden = (cover <= 0.5) & (self.cover(to[..., 0], to[..., 1], t - 1) > 0.02)
        edge = (cover > 0) & (cover < 1)
        return (flow / 2).astype(np.float32), inside & ~hidden & ~edge


def synthetic_clips(folder: Path, frames: int, stills: Stills, height: int = 360, width: int = 640) -> list[Clip]:
    """Slow and fast motion, each clean, with noise of 5 codes, and compressed with x264 crf 29."""
    random = np.random.default_rng(7)
    clips = []
    for name, movement in (("slow", SLOW), ("fast", FAST)):
        scene = Scene(movement, frames, height, width, stills)
        truth = [scene.draw(t) for t in range(frames)]
        known = [scene.flow(max(t, 1)) for t in range(frames)]
        flow, visible = [k[0] for k in known], [k[1] for k in known]
        clean = halved(truth)
        noisy = [(f + random.normal(0, 5, f.shape)).round().clip(0, 255).astype(np.uint8) for f in clean]
        for kind, small in (("clean", clean), ("noise", noisy), ("x264", compressed(clean, 29, 12, folder))):
            clips.append(Clip(f"{name} {kind}", truth, small, flow, visible, fast=name == "fast"))
    return clips
