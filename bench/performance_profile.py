"""The page's section about where a job's time goes."""

from __future__ import annotations

from performance_records import Document, Profile
from performance_words import figure, table

# The part that stage_costs measures alone of what a stage does.
ALONE = {"decode": "decode", "enhance": "infer", "encode": "encode"}


def stage_rows(profile: Profile) -> list[list[str]]:
    def per_frame(seconds: float) -> str:
        return figure(1000 * seconds / profile.frames)

    rows = []
    for stage in profile.stages:
        alone = profile.alone_cpu_s.get(ALONE.get(stage.name, ""))
        waits = [figure(stage.wait_input_s), figure(stage.wait_output_s)]
        busy = f"{100 * stage.busy_s / profile.wall_s:.0f} %"
        rows.append([stage.name, per_frame(stage.busy_s), busy, *waits, "" if alone is None else per_frame(alone)])
    return rows


def bounds(profile: Profile, cores: int) -> str:
    """What the job cannot be faster than, on this machine."""
    parts = profile.alone_cpu_s
    share = 1.0 if profile.share is None else profile.share
    needed = (parts["decode"] + parts["infer"] * share + parts["encode"]) / cores
    network = profile.gflop_per_frame / profile.machine_gflops
    taken = parts["infer"] / cores / profile.frames
    of_share = "" if profile.share is None else f" (the network's part times the share computed, {profile.share:.2f})"
    return (
        f"The job took {figure(profile.wall_s)} s and {figure(profile.cpu_s)} CPU s. Decoder, network and encoder by "
        f"themselves take {figure(needed * cores)} CPU s{of_share}: with {cores} cores kept busy all the time "
        f"{figure(needed)} s, {100 * needed / profile.wall_s:.0f} % of the job's time, or of its processor time "
        f"{100 * needed * cores / profile.cpu_s:.0f} %. Everything else on the machine took "
        f"{100 * profile.others:.0f} % of it meanwhile. The network is "
        f"{figure(profile.gflop_per_frame)} GFLOP a frame; at the {figure(profile.machine_gflops)} GFLOP/s that the "
        f"fastest convolution of its kind reached here that is {figure(network)} s, and it takes {figure(taken)} s by "
        f"itself: {100 * network / taken:.0f} % of what the processor can do."
    )


def profile_text(document: Document) -> str:
    lines = ["## Where the time goes"]
    if not document.profiles:
        return "\n\n".join([*lines, "Not measured."])
    cores = int(document.taken["profile"].machine["cores"])
    first = document.profiles[0]
    lines.append(
        f"The sample film, {first.width}x{first.height}, {first.frames} frames. Stages work side by side, a thread "
        "each; the network and the encoder have threads of their own besides. Alone is the processor time of the same "
        "work outside of the pipeline, of all threads, so that it may be more than the time a stage was busy."
    )
    head = [
        "stage",
        "busy, ms a frame",
        "of the job",
        "waited for input, s",
        "waited for room, s",
        "alone, CPU ms a frame",
    ]
    for profile in document.profiles:
        lines += [f"### {profile.title}", table(head, stage_rows(profile)), bounds(profile, cores)]
    return "\n\n".join(lines)
