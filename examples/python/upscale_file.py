"""Upscale a file and show progress: upscale_file.py IN OUT [KEY=VALUE ...]"""

import sys

import millstream


def main() -> int:
    source, output, *words = sys.argv[1:]
    options = dict(word.split("=", 1) for word in words)
    try:
        plan = millstream.plan(source, output, **options)  # type: ignore[arg-type]
        print(f"{plan.model} on {plan.device}, {plan.output_size.width}x{plan.output_size.height}")
        report = millstream.enhance(
            source,
            output,
            progress=lambda p: print(f"\r{p.fraction:6.1%}  {p.fps:.2f} frames/s", end="", flush=True),
            message=lambda severity, text: print(f"\n{severity}: {text}"),
            **options,  # type: ignore[arg-type]
        )
    except millstream.Error as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(f"\n{report.frames} frames in {report.wall_s:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
