// The memory model and the delay against the encoders themselves. MILLSTREAM_MEASURE=1 prints the figures of
// Note [Encoder memory] in src/media/encoder_memory.cpp instead of checking a few quick ones.
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>

#include "media/encoding.h"
#include "media/pixel_formats.h"
#include "media/probe.h"
#include "media/video_encoder.h"

namespace millstream {
namespace {

std::uint64_t status_bytes(const std::string& key) {
    std::ifstream file("/proc/self/status");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(key)) {
            return std::stoull(line.substr(key.size())) * 1024;
        }
    }
    return 0;
}

void draw(Picture& picture, int n) {
    for (int plane = 0; plane < picture.format.planes(); ++plane) {
        const Plane& to = picture.planes[static_cast<std::size_t>(plane)];
        const int bytes = picture.format.plane_width(plane, picture.width) * picture.format.bytes_per_sample();
        for (int y = 0; y < picture.format.plane_height(plane, picture.height); ++y) {
            for (int x = 0; x < bytes; ++x) {
                const bool high_byte = picture.format.depth > 8 && x % 2 == 1;
                to.data[y * to.stride + x] =
                    high_byte ? std::byte{1} : static_cast<std::byte>((((x + 3 * n) ^ (y + n)) / 2) & 255);
            }
        }
    }
}

struct Measured {
    std::uint64_t bytes = 0;
    int delay = -1;   // index of the picture with which the first packet came
};

Measured run(const EncoderSettings& settings, int pictures) {
    PicturePool pool(settings.format, settings.width, settings.height);
    Picture picture = pool.take();
    draw(picture, 0);
    Measured measured;
    const std::uint64_t before = status_bytes("VmRSS:");
    VideoEncoder encoder(settings, true);
    const av::Packet packet = av::make_packet();
    for (int n = 0; n < pictures; ++n) {
        draw(picture, n);
        encoder.send(picture, n);
        while (encoder.receive(*packet)) {
            measured.delay = measured.delay < 0 ? n : measured.delay;
            av_packet_unref(packet.get());
        }
    }
    measured.bytes = status_bytes("VmHWM:") - before;
    return measured;
}

// In a process of its own: the high-water mark is the process's.
Measured measure(const EncoderSettings& settings, int pictures) {
    int ends[2] = {-1, -1};
    if (pipe(ends) != 0) {
        return {};
    }
    const pid_t child = fork();
    if (child == 0) {
        Measured measured;
        try {
            measured = run(settings, pictures);
        } catch (...) {
            _exit(1);
        }
        _exit(write(ends[1], &measured, sizeof measured) == sizeof measured ? 0 : 1);
    }
    close(ends[1]);
    Measured measured;
    if (read(ends[0], &measured, sizeof measured) != sizeof measured) {
        measured = {};
    }
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    return measured;
}

EncoderSettings settings_of(const std::string& encoder, const std::string& preset, int width, int height) {
    EncoderSettings settings;
    settings.encoder = encoder;
    settings.preset = preset;
    settings.width = width;
    settings.height = height;
    settings.crf = 28;
    settings.threads = 2;
    settings.pixel_format_name = "yuv420p";
    settings.colour.matrix = 1;
    return settings;
}

#ifdef MILLSTREAM_SANITIZED
constexpr bool kSanitized = true;   // their shadow memory is not the encoder's
#else
constexpr bool kSanitized = false;
#endif

void expect_within_model(const EncoderSettings& settings, int pictures) {
    const Measured measured = measure(settings, pictures);
    const std::uint64_t model = encoder_memory(settings);
    ASSERT_GT(measured.bytes, 0U);
    EXPECT_GE(model, measured.bytes) << settings.encoder << " " << settings.width;
    EXPECT_LE(model, measured.bytes * 17 / 10) << "uselessly far above, " << settings.encoder << " " << settings.width;
    EXPECT_GE(measured.delay, 0);
    EXPECT_LE(measured.delay, encoder_delay(settings)) << settings.encoder;
}

TEST(EncoderMemoryMeasured, stays_within_the_model_for_x264) {
    if (kSanitized) {
        GTEST_SKIP();
    }
    for (const int lookahead : {-1, 10, 0}) {
        EncoderSettings settings = settings_of("libx264", "medium", 640, 360);
        settings.lookahead = lookahead;
        expect_within_model(settings, 70);
    }
    EncoderSettings least = settings_of("libx264", "medium", 1280, 720);
    least.lookahead = 0;
    least.threads = 1;
    least.references = 1;
    least.b_frames = 0;
    expect_within_model(least, 20);
    EncoderSettings deep = settings_of("libx264", "medium", 640, 360);
    deep.format = {ColourFamily::yuv, 10, 0, 0, false};
    deep.pixel_format_name = "yuv444p10le";
    expect_within_model(deep, 70);
}

TEST(EncoderMemoryMeasured, stays_within_the_model_for_x265) {
    if (kSanitized) {
        GTEST_SKIP();
    }
    expect_within_model(settings_of("libx265", "medium", 640, 360), 45);
}

TEST(EncoderMemoryMeasured, stays_within_the_model_for_svt_av1) {
    if (kSanitized) {
        GTEST_SKIP();
    }
    expect_within_model(settings_of("libsvtav1", "8", 640, 360), 80);
}

TEST(EncoderMemoryMeasured, prints_the_figures_of_the_note) {
    if (std::getenv("MILLSTREAM_MEASURE") == nullptr) {
        GTEST_SKIP() << "set MILLSTREAM_MEASURE=1";
    }
    constexpr int kSizes[][2] = {{640, 360}, {1280, 720}, {1920, 1080}, {3840, 2160}};
    for (const auto& size : kSizes) {
        for (const char* encoder : {"libx264", "libx265", "libsvtav1"}) {
            for (const int lookahead : {-1, 10, 0}) {
                EncoderSettings settings =
                    settings_of(encoder, std::string(encoder) == "libsvtav1" ? "8" : "medium", size[0], size[1]);
                settings.lookahead = lookahead == 0 && std::string(encoder) == "libx265" ? 5 : lookahead;
                const Measured measured = measure(settings, 90);
                std::cout << encoder << ' ' << size[0] << 'x' << size[1] << " lookahead " << settings.lookahead << ": "
                          << (measured.bytes >> 20) << " MiB, model " << (encoder_memory(settings) >> 20)
                          << " MiB; first packet after " << measured.delay << " pictures\n";
            }
        }
    }
}

}   // namespace
}   // namespace millstream
