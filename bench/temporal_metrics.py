"""How steady a video is, and what steadiness cost it.

Frames are [H,W,3] uint8, R G B. The optical flow that judges is OpenCV's DIS on the reference frames, never the flow of
the program under test. Warping error: W.-S. Lai et al., Learning Blind Video Temporal Consistency, ECCV 2018,
equations 9 and 10; its masks: M. Ruder et al., Artistic Style Transfer for Videos, GCPR 2016."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]
Video = Sequence[Frame]
Field = NDArray[np.float32]
Mask = NDArray[np.bool_]

CUT_HISTOGRAM, CUT_DIFFERENCE = 0.22, 0.10
LEAST_CHANGE = 24  # codes a pixel of the frame before must differ by to count for the leak


@dataclass
class Step:
    """What is known of a frame and the one before it, from the reference."""

    flow: Field  # backward, [H,W,2]
    trusted: Mask  # visible in both frames, away from edges of the motion
    hidden: Mask  # not visible in the frame before, and 2 px around
    moving: Mask  # faster than 2 px


def grey(frame: Frame) -> Frame:
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)


def warp(image: NDArray[np.generic], flow: Field) -> Field:
    y, x = np.mgrid[0 : flow.shape[0], 0 : flow.shape[1]].astype(np.float32)
    warped = cv2.remap(image, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.float32)


def is_cut(now: Frame, before: Frame) -> bool:
    def cells(frame: Frame) -> Field:
        small = cv2.resize(grey(frame), None, fx=1 / 8, fy=1 / 8, interpolation=cv2.INTER_AREA)
        return np.asarray(small.astype(np.float32) / 255, np.float32)

    a, b = cells(now), cells(before)
    bins = [np.histogram(c, 32, (0, 1))[0] / c.size for c in (a, b)]
    distance = float(np.abs(bins[0] - bins[1]).sum()) / 2
    return distance > CUT_HISTOGRAM and float(np.abs(a - b).mean()) > CUT_DIFFERENCE


def square(field: NDArray[np.floating[Any]]) -> Field:
    return np.asarray((field * field).sum(-1), np.float32)


def judge(now: Frame, before: Frame, dis: cv2.DISOpticalFlow) -> Step:
    backward = np.asarray(dis.calc(grey(now), grey(before), None), np.float32)
    forward = warp(np.asarray(dis.calc(grey(before), grey(now), None), np.float32), backward)
    hidden = square(forward + backward) > 0.01 * (square(forward) + square(backward)) + 0.5
    across = np.diff(backward, axis=1, append=backward[:, -1:])
    down = np.diff(backward, axis=0, append=backward[-1:])
    edge = square(across) + square(down) > 0.01 * square(backward) + 0.002
    height, width = backward.shape[:2]
    y, x = np.mgrid[0:height, 0:width]
    x, y = x + backward[..., 0], y + backward[..., 1]
    outside = (x < 0) | (x > width - 1) | (y < 0) | (y > height - 1)
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    dilated = cv2.dilate((hidden | outside).astype(np.uint8), around) > 0
    return Step(backward, ~(hidden | edge | outside), dilated, square(backward) > 4)


def steps(reference: Video) -> list[Step | None]:
    """One for each frame but the first; none at cuts."""
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    dis.setFinestScale(0)
    dis.setGradientDescentIterations(25)
    dis.setVariationalRefinementIterations(5)
    pairs = zip(reference[1:], reference, strict=False)
    return [None if is_cut(now, before) else judge(now, before, dis) for now, before in pairs]


def camera_speed(judged: list[Step | None]) -> float:
    """How fast most of the picture moves: the median over frames of their median flow, pixels a frame."""
    speeds = [float(np.median(np.sqrt(square(step.flow)))) for step in judged if step is not None]
    return float(np.median(speeds)) if speeds else 0.0


def warping_error(video: Video, judged: list[Step | None]) -> float:
    """Mean squared difference to the motion-compensated frame before, values 0..1."""
    errors = []
    for t, step in enumerate(judged, 1):
        if step is None or not step.trusted.any():
            continue
        difference = (video[t].astype(np.float32) - warp(video[t - 1], step.flow)) / 255
        errors.append(float(square(difference)[step.trusted].mean()) / 3)
    return float(np.mean(errors))


def psnr(video: Video, truth: Video) -> float:
    errors = [np.mean((a.astype(np.float32) - b.astype(np.float32)) ** 2) for a, b in zip(video, truth, strict=True)]
    return float(10 * np.log10(255**2 / max(float(np.mean(errors)), 1e-9)))


def hidden_psnr(video: Video, truth: Video, judged: list[Step | None]) -> float:
    """PSNR where the picture was not to be seen in the frame before: there a ghost would be."""
    errors = [
        np.mean((video[t].astype(np.float32) - truth[t].astype(np.float32))[step.hidden] ** 2)
        for t, step in enumerate(judged, 1)
        if step is not None and step.hidden.any()
    ]
    return float(10 * np.log10(255**2 / max(float(np.mean(errors)), 1e-9))) if errors else 0.0


def ssim(video: Video, truth: Video) -> float:
    """Structural similarity of luma, 11x11 Gaussian of 1.5 px, every third frame."""

    def blur(x: Field) -> Field:
        return np.asarray(cv2.GaussianBlur(x, (11, 11), 1.5), np.float32)

    def one(a: Frame, b: Frame) -> float:
        x, y = grey(a).astype(np.float32), grey(b).astype(np.float32)
        mx, my = blur(x), blur(y)
        vx, vy, both = blur(x * x) - mx * mx, blur(y * y) - my * my, blur(x * y) - mx * my
        c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
        return float((((2 * mx * my + c1) * (2 * both + c2)) / ((mx**2 + my**2 + c1) * (vx + vy + c2))).mean())

    return float(np.mean([one(video[t], truth[t]) for t in range(1, len(video), 3)]))


def sharpness(video: Video) -> float:
    """Mean absolute Laplacian of luma, every third frame."""
    return float(np.mean([np.abs(cv2.Laplacian(grey(frame), cv2.CV_32F)).mean() for frame in video[1::3]]))


def leak(locked: Video, raw: Video, judged: list[Step | None]) -> float:
    """Share of the unwarped frame before that shows where the picture has changed: a ghost. 0 is none."""
    shown = changed = 0.0
    for t, step in enumerate(judged, 1):
        if step is None:
            continue
        gone = raw[t - 1].astype(np.float32) - raw[t].astype(np.float32)
        where = (step.hidden | step.moving)[..., None] & (np.abs(gone) > LEAST_CHANGE)
        added = locked[t].astype(np.float32) - raw[t].astype(np.float32)
        shown += float((added * gone * where).sum())
        changed += float((gone * gone * where).sum())
    return shown / max(changed, 1e-9)


def ghost(locked: Video, raw: Video, truth: Video, judged: list[Step | None]) -> float:
    """The leak as a regression that also has the way to the original for a cause. Where much has changed, the original
    itself lies towards the frame before more often than not (its leak: up to 0.15), and what comes nearer to it is
    no ghost."""
    causes, effect = np.zeros((2, 2)), np.zeros(2)
    for t, step in enumerate(judged, 1):
        if step is None:
            continue
        gone = raw[t - 1].astype(np.float64) - raw[t]
        where = (step.hidden | step.moving)[..., None] & (np.abs(gone) > LEAST_CHANGE)
        both = np.stack([gone[where], (truth[t].astype(np.float64) - raw[t])[where]])
        causes += both @ both.T
        effect += both @ (locked[t].astype(np.float64) - raw[t])[where]
    return float(np.linalg.lstsq(causes, effect, rcond=None)[0][0])


def blurred_to(raw: Video, sharpness_share: float) -> list[Frame]:
    """The Gaussian blur of `raw` that is as sharp as asked: the control a temporal method has to beat."""
    full = sharpness(raw[::4])
    low, high = 0.05, 2.0
    for _ in range(9):
        middle = (low + high) / 2
        sharp_enough = sharpness([blurred(frame, middle) for frame in raw[::4]]) / full > sharpness_share
        low, high = (middle, high) if sharp_enough else (low, middle)
    return [blurred(frame, low) for frame in raw]


def blurred(frame: Frame, sigma: float) -> Frame:
    return np.asarray(cv2.GaussianBlur(frame, (7, 7), sigma), np.uint8)
