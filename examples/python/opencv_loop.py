"""Frames to OpenCV and into a new file: opencv_loop.py IN OUT [KEY=VALUE ...] [--show]

With --show each frame is shown in a window, too (needs an OpenCV with windows and a screen).
"""

import sys

import cv2
import millstream

if __name__ == "__main__":
    show = "--show" in sys.argv
    source, output, *words = [word for word in sys.argv[1:] if word != "--show"]
    options = dict(word.split("=", 1) for word in words)
    reader = millstream.Reader(source)
    enhancer = millstream.Enhancer(**options)  # type: ignore[arg-type]
    with millstream.Writer(output, like=reader, preset="ultrafast") as writer:
        for frame in enhancer.stream(reader):
            picture = frame.numpy()  # (H, W, 3) uint8 BGR: a view, not a copy
            text = f"{frame.time_s:.2f} s"
            cv2.putText(picture, text, (8, picture.shape[0] - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255))
            if show:
                cv2.imshow("millstream", picture)
                cv2.waitKey(1)
            writer.write(picture, at=frame)
    print(f"{reader.counts['packed_writes'] + enhancer.counts['packed_writes']} pictures written for OpenCV")
