// What a crash may leave, and that the same job goes on from there as if nothing had happened.
//
// The calls are those of the production writer, recorded in one run. For every prefix of them two disks are made up:
// one that has kept all of it, and one that has lost what was not synced; the job is run on each and must end with the
// very file that the run without a crash has made. (The idea: ALICE, Pillai et al., All File Systems Are Not Created
// Equal, OSDI 2014.)
#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/faulty_files.h"
#include "millstream/error.h"
#include "pipeline/job.h"

namespace millstream {
namespace {

using testing::FileChange;
using testing::WatchedFiles;
using Content = std::vector<std::byte>;

Content read_bytes(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const auto* first = reinterpret_cast<const std::byte*>(text.data());
    return {first, first + text.size()};
}

void write_bytes(const std::filesystem::path& path, const Content& bytes) {
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

// A disk with a cache in front of it that a power failure empties.
class Disk {
public:
    explicit Disk(std::string folder) : folder_(std::move(folder)) {}

    void apply(const FileChange& change) {
        switch (change.kind) {
            case FileChange::Kind::create:
                names_[change.path] = std::make_shared<Inode>();
                break;
            case FileChange::Kind::write: {
                Content& bytes = names_.at(change.path)->cached;
                bytes.resize(std::max<std::size_t>(bytes.size(), change.offset + change.bytes.size()));
                std::copy(change.bytes.begin(), change.bytes.end(),
                          bytes.begin() + static_cast<std::ptrdiff_t>(change.offset));
                break;
            }
            case FileChange::Kind::resize:
                names_.at(change.path)->cached.resize(change.offset);
                break;
            case FileChange::Kind::sync:
                if (change.path == folder_) {
                    durable_names_ = names_;
                } else {
                    names_.at(change.path)->durable = names_.at(change.path)->cached;
                    durable_names_[change.path] = names_.at(change.path);
                }
                break;
            case FileChange::Kind::rename:
                names_[change.to] = names_.at(change.path);
                names_.erase(change.path);
                break;
            case FileChange::Kind::remove:
                names_.erase(change.path);
                break;
        }
    }

    using Files = std::map<std::string, Content>;
    [[nodiscard]] Files as_cached() const {
        Files files;
        for (const auto& [name, inode] : names_) {
            files[name] = inode->cached;
        }
        return files;
    }
    [[nodiscard]] Files after_power_failure() const {
        Files files;
        for (const auto& [name, inode] : durable_names_) {
            files[name] = inode->durable;
        }
        return files;
    }

private:
    struct Inode {
        Content cached;
        Content durable;
    };
    std::string folder_;
    std::map<std::string, std::shared_ptr<Inode>> names_;
    std::map<std::string, std::shared_ptr<Inode>> durable_names_;
};

class Crash : public ::testing::Test {
protected:
    void SetUp() override {
        std::string pattern = (std::filesystem::temp_directory_path() / "millstream-crash-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        root_ = pattern;
        out_ = root_ / "out";
        std::filesystem::create_directory(out_);
        const std::string command =
            "ffmpeg -v error -nostdin -y -f lavfi -i testsrc2=size=64x48:rate=24:duration=2.5 -f lavfi -i "
            "sine=duration=2.8 -c:v libx264 -preset veryfast -bf 2 -pix_fmt yuv420p -c:a aac " +
            (root_ / "in.mp4").string();
        ASSERT_EQ(std::system(command.c_str()), 0);
    }
    void TearDown() override { std::filesystem::remove_all(root_); }

    // 60 frames in three chunks.
    [[nodiscard]] Options options(const std::string& extension = ".mp4") const {
        Options options;
        options.input = root_ / "in.mp4";
        options.output = out_ / ("film" + extension);
        options.model = "identity";
        options.scale = 1;
        options.preset = "ultrafast";
        options.encoder_options = {{"bf", "2"}};
        options.chunk = {ChunkLength::Kind::frames, 0, 24};
        options.threads = 1;
        return options;
    }

    void put(const Disk::Files& files) const {
        std::filesystem::remove_all(out_);
        std::filesystem::create_directory(out_);
        for (const auto& [name, bytes] : files) {
            write_bytes(name, bytes);
        }
    }

    [[nodiscard]] std::vector<std::string> files_there() const {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(out_)) {
            names.push_back(entry.path().filename().string());
        }
        return names;
    }

    std::filesystem::path root_;
    std::filesystem::path out_;
};

TEST_F(Crash, at_any_instant_costs_nothing_but_time) {
    std::vector<FileChange> changes;
    WatchedFiles files;
    files.before = [&](const FileChange& change) {
        changes.push_back(change);
        return 0;
    };
    const Report whole = enhance_through(files, options());
    EXPECT_EQ(whole.checkpoints, 3);
    const Content expected = read_bytes(options().output);
    ASSERT_EQ(files_there(), std::vector<std::string>{"film.mp4"});

    Disk disk(out_.string());
    std::set<Disk::Files> seen;
    int resumed = 0;
    for (std::size_t i = 0; i < changes.size(); ++i) {
        disk.apply(changes[i]);
        for (const Disk::Files& left : {disk.as_cached(), disk.after_power_failure()}) {
            if (!seen.insert(left).second) {
                continue;
            }
            SCOPED_TRACE("after call " + std::to_string(i + 1) + " of " + std::to_string(changes.size()));
            put(left);
            if (left.contains(options().output.string())) {   // finished: only tidying up was left
                EXPECT_THROW(enhance(options()), Error);
            } else {
                const Report report = enhance(options());
                EXPECT_EQ(report.frames, 60);
                resumed += report.resumed_frames > 0 ? 1 : 0;
            }
            EXPECT_EQ(read_bytes(options().output), expected);
            EXPECT_EQ(files_there(), std::vector<std::string>{"film.mp4"});
        }
    }
    EXPECT_GT(resumed, 10);
}

TEST_F(Crash, of_the_disk_is_an_error_that_the_same_command_goes_on_from) {
    for (const char* extension : {".mp4", ".mkv"}) {
        int calls = 0;
        WatchedFiles counting;
        counting.before = [&](const FileChange&) {
            ++calls;
            return 0;
        };
        enhance_through(counting, options(extension));
        const Content expected = read_bytes(options(extension).output);
        for (int bad = 0; bad < calls; ++bad) {
            SCOPED_TRACE(std::string(extension) + ", call " + std::to_string(bad));
            put({});
            int call = 0;
            FileChange::Kind kind = FileChange::Kind::create;
            WatchedFiles files;
            files.before = [&](const FileChange& change) {
                if (call++ != bad) {
                    return 0;
                }
                kind = change.kind;
                return change.kind == FileChange::Kind::sync ? EIO : ENOSPC;
            };
            bool failed = false;
            try {
                enhance_through(files, options(extension));
            } catch (const Error& error) {
                failed = true;
                EXPECT_TRUE(error.kind() == ErrorKind::resource || error.kind() == ErrorKind::refused) << error.what();
            }
            if (failed && !std::filesystem::exists(options(extension).output)) {
                enhance(options(extension));
            }
            const Content now = read_bytes(options(extension).output);
            EXPECT_EQ(now.size(), expected.size());
            if (std::string(extension) == ".mp4") {   // a Matroska file has random identifiers
                EXPECT_EQ(now, expected);
            }
        }
    }
}

// Writes a few bytes at a time, and is interrupted before each.
class HesitantFiles : public FileCalls {
public:
    ssize_t write_at(int file, const void* bytes, std::size_t count, off_t offset) override {
        if ((interrupted_ = !interrupted_)) {
            errno = EINTR;
            return -1;
        }
        return FileCalls::write_at(file, bytes, std::min<std::size_t>(count, 777), offset);
    }

private:
    bool interrupted_ = false;
};

TEST_F(Crash, short_and_interrupted_writes_change_nothing) {
    enhance(options());
    const Content expected = read_bytes(options().output);
    put({});
    HesitantFiles files;
    enhance_through(files, options());
    EXPECT_EQ(read_bytes(options().output), expected);
}

TEST_F(Crash, leaves_what_goes_on_only_with_the_same_job) {
    WatchedFiles files;
    int syncs = 0;
    files.before = [&](const FileChange& change) {
        return change.kind == FileChange::Kind::sync && ++syncs == 5 ? EIO : 0;
    };
    EXPECT_THROW(enhance_through(files, options()), Error);
    ASSERT_EQ(files_there().size(), 2U) << "OUT.part and the checkpoint";
    const auto refusal = [&](const Options& asked) {
        try {
            enhance(asked);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::refused) << error.what();
            return std::string(error.what());
        }
        ADD_FAILURE() << "must be refused";
        return std::string();
    };
    Options other = options();
    other.crf = 30;
    EXPECT_NE(refusal(other).find("crf was null, is 30"), std::string::npos);
    const auto changed = std::filesystem::last_write_time(options().input);
    std::filesystem::last_write_time(options().input, changed + std::chrono::hours(1));
    EXPECT_NE(refusal(options()).find("the time of its last change"), std::string::npos);
    std::filesystem::last_write_time(options().input, changed);

    const std::filesystem::path checkpoint = options().output.string() + ".millstream.json";
    const Content good = read_bytes(checkpoint);
    for (const std::size_t cut : {good.size() / 2, std::size_t{0}}) {
        write_bytes(checkpoint, Content(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(cut)));
        EXPECT_NE(refusal(options()).find("--resume never"), std::string::npos);
    }
    Content touched = good;
    touched[touched.size() / 2] ^= std::byte{1};
    write_bytes(checkpoint, touched);
    refusal(options());
    write_bytes(checkpoint, good);
    EXPECT_EQ(files_there().size(), 2U) << "nothing was destroyed";
    EXPECT_LT(good.size(), 64U * 1024);

    Options slower = options();   // what changes no picture may change
    slower.tile = 32;
    slower.runner = Runner::serial;
    EXPECT_GT(enhance(slower).resumed_frames, 0);
}

TEST_F(Crash, is_forgotten_where_the_user_says_so) {
    WatchedFiles files;
    int syncs = 0;
    files.before = [&](const FileChange& change) {
        return change.kind == FileChange::Kind::sync && ++syncs == 5 ? EIO : 0;
    };
    EXPECT_THROW(enhance_through(files, options()), Error);
    Options anew = options();
    anew.resume = Resume::never;
    anew.crf = 30;
    EXPECT_EQ(enhance(anew).resumed_frames, 0);
    Options required = options();
    required.resume = Resume::require;
    required.overwrite = true;
    EXPECT_THROW(enhance(required), Error);
    EXPECT_EQ(files_there(), std::vector<std::string>{"film.mp4"});
}

}   // namespace
}   // namespace millstream
