// A file that cannot be read any more is not one that has ended.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "media/demuxer.h"
#include "media/synthetic_file.h"
#include "media/temporary_folder.h"
#include "millstream/error.h"

namespace millstream {
namespace {

// A file on a drive that goes away: from some byte on every read fails with `code`.
struct FailingDrive {
    std::vector<std::uint8_t> bytes;
    std::size_t good = 0;
    int code = EIO;
    std::size_t at = 0;

    static int read(void* opaque, std::uint8_t* target, int size) {
        auto& drive = *static_cast<FailingDrive*>(opaque);
        if (drive.at >= drive.bytes.size()) {
            return AVERROR_EOF;
        }
        if (drive.at >= drive.good) {
            return AVERROR(drive.code);
        }
        const std::size_t count = std::min(static_cast<std::size_t>(size), drive.bytes.size() - drive.at);
        std::copy_n(&drive.bytes[drive.at], count, target);
        drive.at += count;
        return static_cast<int>(count);
    }
    static std::int64_t seek(void* opaque, std::int64_t offset, int whence) {
        auto& drive = *static_cast<FailingDrive*>(opaque);
        if ((whence & AVSEEK_SIZE) != 0) {
            return static_cast<std::int64_t>(drive.bytes.size());
        }
        drive.at = static_cast<std::size_t>(offset);
        return offset;
    }
};

void close(AVIOContext* io) {
    av_freep(&io->buffer);
    avio_context_free(&io);
}

InputIo open(FailingDrive& drive) {
    constexpr int kBufferBytes = 4096;
    return {avio_alloc_context(static_cast<std::uint8_t*>(av_malloc(kBufferBytes)), kBufferBytes, 0, &drive,
                               FailingDrive::read, nullptr, FailingDrive::seek),
            close};
}

class ReadError : public ::testing::Test {
protected:
    std::vector<std::uint8_t> film(const char* container) {
        testing::SyntheticVideo video;
        video.pts = testing::constant_rate(100, 512);
        testing::SyntheticFile file({video}, {});
        if (container == std::string("mp4")) {
            file.muxer_settings = {{"movflags", "faststart"}};
        }
        const auto path = folder_.path() / "film";
        testing::write_file(path, container, file);
        return testing::read_bytes(path);
    }

    testing::TemporaryFolder folder_;
};

TEST_F(ReadError, of_the_drive_is_told_and_is_no_end_of_the_video) {
    for (const char* container : {"mp4", "matroska", "mpegts", "avi"}) {
        for (const int code : {EIO, ESTALE, ENODEV}) {
            SCOPED_TRACE(std::string(container) + ": " + std::strerror(code));
            FailingDrive drive{film(container)};
            drive.good = drive.bytes.size();
            drive.code = code;
            Demuxer demuxer(open(drive), "film", {});
            drive.good = drive.bytes.size() / 2;
            const av::Packet packet = av::make_packet();
            try {
                while (demuxer.read(*packet)) {
                }
                ADD_FAILURE() << "half a film is not the whole";
            } catch (const Error& error) {
                EXPECT_EQ(error.kind(), ErrorKind::resource) << error.what();
            }
        }
    }
}

TEST_F(ReadError, a_file_that_is_cut_off_ends_and_says_so) {
    for (const char* container : {"mp4", "matroska"}) {
        FailingDrive drive{film(container)};
        drive.bytes.resize(drive.bytes.size() * 3 / 4);
        drive.good = drive.bytes.size();
        Demuxer demuxer(open(drive), "film", {});
        const av::Packet packet = av::make_packet();
        int packets = 0;
        while (demuxer.read(*packet)) {
            ++packets;
        }
        EXPECT_GT(packets, 0);
        EXPECT_TRUE(demuxer.truncated()) << container;
    }
}

}   // namespace
}   // namespace millstream
