#include "cli/help.h"

namespace millstream {

const char* const kAboutText =
    "Millstream enlarges and restores videos with neural networks. It streams: frames live in memory only, and the "
    "one\n"
    "file it writes is the output.";

const char* const kExamplesText = R"(Examples:
  millstream enhance film.mp4 -o film_x2.mkv                   twice the size, all else copied
  millstream enhance film.mp4 -o film_4k.mkv --size 3840x2160  an exact size
  millstream enhance film.mp4 -o small.mp4 --max-memory 2GiB   on a small machine
  millstream inspect film.mp4                                  what would happen; writes nothing
  millstream verify film.mp4 film_x2.mkv                       is the result what it should be?
  millstream clean film_x2.mkv                                 remove what an interrupted run has left
  millstream models list                                       the networks to choose from
  millstream doctor                                            what is installed, what is missing

Exit codes:
  0    done
  1    a defect of Millstream; please report it
  2    options wrong, OUT exists (see -y), or OUT is IN
  3    the input cannot be used
  4    refused before the start: disk space, memory, OUT's folder, OUT in use, an unfinished OUT of another job or program
  5    the model cannot be used
  6    ran out of disk or memory while running, or IN or OUT failed; the same command goes on
  7    a check found a difference
  130  stopped by Ctrl-C, SIGTERM or SIGHUP; the same command goes on

`millstream COMMAND --help` says more of a command.)";

const char* const kEnhanceFooterText = R"(Examples:
  millstream enhance film.mp4 -o film_x2.mp4
  millstream enhance film.mp4 -o film_x4.mkv --scale 4 --codec hevc --crf 20
  millstream enhance film.mp4 -o film_x2.mkv --encoder-options tune=grain:bf=5
  millstream enhance a.mp4 b.mkv c.mov -o enhanced/
  millstream enhance -y -o out.mp4 -- -film-with-a-dash.mp4

OUT's extension chooses the container: .mp4, .mov, .mkv or .webm. All streams, chapters and tags are carried over; what
the container cannot hold is said before the start (.mkv holds nearly everything). Plain text subtitles are converted
where that loses nothing. Until it is complete it is called OUT.part.
--reuse computes only what changed from the frame before; exact gives the very picture that off gives, safe one that
looks the same, fast computes least (docs/reuse.md).
--temporal holds noise and flicker still where the input itself does not change; off leaves each frame as the network
made it, which film grain and frame-by-frame comparisons want (docs/temporal.md).
Every few seconds of video OUT.part is brought to the disk with a checkpoint, OUT.millstream.json. After a crash, a power
failure or Ctrl-C the same command goes on from there (docs/reliability.md); `millstream clean OUT` removes the two.
Several inputs are enhanced one after the other into the folder OUT, each under its own name with its own checkpoint and
report (run.json becomes a.mp4.run.json); the network is loaded once. One that fails does not stop the others (--fail-fast), the
exit code is that of the worst. Given again, the command leaves what is finished and goes on with the rest.
--max-total lowers the quality where the output would grow beyond its share; summary and report tell by how much.
Amounts take KiB, MiB, GiB or TiB. The first Ctrl-C finishes the frames in hand and keeps what is committed, the second one quits. Progress goes to stderr, the summary to stdout; --progress json writes one JSON object a line to
stdout (docs/progress.md).)";

const char* const kInspectFooterText =
    R"(Prints the plan that `enhance` would follow with the same options, or its refusal, and writes nothing. Without -o it
plans for a file called like the input, ending in _enhanced.mkv, in the current folder.)";

const char* const kVerifyFooterText = R"(Examples:
  millstream verify film.mkv film_x2.mkv
  millstream verify film.mkv film_x2.mp4 --json

Writes nothing. Exit code 0: everything is as it should be; 7: a difference was found, named with its place; 3: a file
cannot be used. Compared are
  frames          their number; every time stamp and duration: exact, or within a tick where OUT counts more coarsely
  frame order     frames that show the one before or after better than their own: swapped, repeated, shifted
  copied streams  every packet's payload, and its time against the first frame within --time
  the rest        chapters, tags, dispositions, attachments, colour, aspect, rotation, HDR data, field order
  decoding        of every frame of OUT, without an error
  pictures        per scene, OUT made as small as IN: PSNR and SSIM of the luma. A scene differs where its PSNR is lower
                  than that of IN against itself blurred (5x5 box, 40 dB at most) by more than --psnr-margin; a frame
                  where it falls below the median of its scene by more than --frame-drop; levels where the mean of a
                  plane moves by more than --levels
What OUT's container cannot hold is a note and no difference. docs/verify.md says how the tolerances were chosen.)";

}   // namespace millstream
