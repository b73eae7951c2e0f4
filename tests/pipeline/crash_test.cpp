// What a crash may leave, and that the same job goes on from there as if nothing had happened.
//
// The calls are those of the production writer, recorded in one run. For every prefix of them two disks are made up:
// one that has kept all of it, and one that has lost what was not synced; the job is run on each and must end with the
// very file that the run without a crash has made. (The idea: ALICE, Pillai et al., All File Systems Are Not Created
// Equal, OSDI 2014.)
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/faulty_files.h"
#include "millstream/error.h"
#include "millstream/filter.h"
#include "millstream/frames.h"
#include "pipeline/checkpoint.h"
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

// A write of which the crash has let only the first half through.
Disk::Files half_applied(Disk::Files files, const FileChange& write) {
    Content& bytes = files[write.path];
    const std::size_t half = write.bytes.size() / 2;
    bytes.resize(std::max<std::size_t>(bytes.size(), write.offset + half));
    std::copy_n(write.bytes.begin(), half, bytes.begin() + static_cast<std::ptrdiff_t>(write.offset));
    return files;
}

// Every disk that a crash during the job may leave, in order; none twice.
std::vector<Disk::Files> what_crashes_leave(const Options& job) {
    std::vector<Disk::Files> all;
    std::set<Disk::Files> seen;
    const auto add = [&](Disk::Files files) {
        if (seen.insert(files).second) {
            all.push_back(std::move(files));
        }
    };
    Disk disk(job.output.parent_path().string());
    WatchedFiles files;
    files.before = [&](const FileChange& change) {
        if (change.kind == FileChange::Kind::write && change.bytes.size() > 1) {
            add(half_applied(disk.as_cached(), change));
        }
        disk.apply(change);
        add(disk.as_cached());
        add(disk.after_power_failure());
        return 0;
    };
    EXPECT_EQ(enhance_through(files, job).checkpoints, 3);
    return all;
}

// FFmpeg gives a Matroska file and its tracks random numbers: SegmentUID (73 A4), TrackUID (73 C5), and TagTrackUID
// (63 C5), each with its length behind it.
Content without_random_numbers(Content bytes) {
    constexpr std::array<std::array<int, 3>, 3> kNumbers{{{0x73, 0xA4, 0x90}, {0x73, 0xC5, 0x88}, {0x63, 0xC5, 0x88}}};
    for (const auto& [first, second, length] : kNumbers) {
        const std::array<std::byte, 3> mark{std::byte(first), std::byte(second), std::byte(length)};
        auto at = std::search(bytes.begin(), bytes.end(), mark.begin(), mark.end());
        while (at != bytes.end()) {
            at += mark.size();
            const auto end = at + std::min<std::ptrdiff_t>(length & 0x7F, bytes.end() - at);
            std::fill(at, end, std::byte{0});
            at = std::search(end, bytes.end(), mark.begin(), mark.end());
        }
    }
    return bytes;
}

TEST_F(Crash, at_any_instant_costs_nothing_but_time) {
    Options matroska = options(".mkv");
    Options index_in_front = options();
    index_in_front.faststart = true;
    for (const Options& job : {options(), index_in_front, matroska}) {
        put({});
        const std::vector<Disk::Files> crashes = what_crashes_leave(job);
        const Content expected = without_random_numbers(read_bytes(job.output));
        const std::vector<std::string> only_output{job.output.filename().string()};
        ASSERT_EQ(files_there(), only_output);
        int resumed = 0;
        for (std::size_t i = 0; i < crashes.size(); ++i) {
            SCOPED_TRACE(only_output.front() + ", " + std::to_string(i + 1) + " of " + std::to_string(crashes.size()));
            put(crashes[i]);
            if (crashes[i].contains(job.output.string())) {   // finished: only tidying up was left
                EXPECT_THROW(enhance(job), Error);
            } else {
                const Report report = enhance(job);
                EXPECT_EQ(report.frames, 60);
                resumed += report.resumed_frames > 0 ? 1 : 0;
            }
            EXPECT_EQ(without_random_numbers(read_bytes(job.output)), expected);
            EXPECT_EQ(files_there(), only_output);
        }
        EXPECT_GT(resumed, 10);
    }
}

// Fails the call with the given number, or the rest of a write of which half has gone through.
class Fault {
public:
    Fault(WatchedFiles& files, int call, int code, bool half) : call_(call), code_(code), half_(half) {
        files.before = [this](const FileChange& change) { return before(change); };
        files.at_most = [this](const FileChange& change) {
            return rest_fails_ ? change.bytes.size() / 2 : change.bytes.size();
        };
    }

    // A checkpoint with finished frames had taken its place before.
    [[nodiscard]] bool behind_a_commit() const { return checkpoints_ > 1; }   // the first one only says "begun"

private:
    int before(const FileChange& change) {
        if (rest_fails_) {
            rest_fails_ = false;
            return code_;
        }
        if (done_++ == call_) {
            rest_fails_ = half_ && change.kind == FileChange::Kind::write && change.bytes.size() > 1;
            return rest_fails_ ? 0 : code_;
        }
        checkpoints_ += done_ <= call_ && change.kind == FileChange::Kind::rename ? 1 : 0;
        return 0;
    }

    int call_;
    int code_;
    bool half_;
    int done_ = 0;
    bool rest_fails_ = false;
    int checkpoints_ = 0;
};

TEST_F(Crash, of_the_disk_is_an_error_that_the_same_command_goes_on_from) {
    constexpr std::array<int, 5> kCodes{ENOSPC, EDQUOT, EIO, EMFILE, EROFS};
    for (const char* extension : {".mp4", ".mkv"}) {
        const Options job = options(extension);
        int calls = 0;
        WatchedFiles counting;
        counting.before = [&](const FileChange&) {
            ++calls;
            return 0;
        };
        enhance_through(counting, job);
        const Content expected = without_random_numbers(read_bytes(job.output));
        for (int bad = 0; bad < calls; ++bad) {
            const int code = kCodes[static_cast<std::size_t>(bad) % kCodes.size()];
            SCOPED_TRACE(std::string(extension) + ", call " + std::to_string(bad) + ": " + std::strerror(code));
            put({});
            WatchedFiles files;
            const Fault fault(files, bad, code, bad % 2 == 0);
            bool failed = false;
            try {
                enhance_through(files, job);
            } catch (const Error& error) {
                failed = true;
                EXPECT_EQ(error.kind(), ErrorKind::resource) << error.what();
            }
            if (failed && !std::filesystem::exists(job.output)) {
                const Report report = enhance(job);
                EXPECT_TRUE(report.resumed_frames > 0 || !fault.behind_a_commit());
            }
            EXPECT_EQ(without_random_numbers(read_bytes(job.output)), expected);
        }
    }
}

TEST_F(Crash, of_a_folder_that_cannot_be_synced_is_none) {
    WatchedFiles files;
    files.before = [&](const FileChange& change) {
        return change.kind == FileChange::Kind::sync && change.path == out_.string() ? EINVAL : 0;
    };
    EXPECT_EQ(enhance_through(files, options()).frames, 60);
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
        return change.kind == FileChange::Kind::sync && ++syncs == 7 ? EIO : 0;
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
        return change.kind == FileChange::Kind::sync && ++syncs == 7 ? EIO : 0;
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

ErrorKind kind_of(const Options& job) {
    try {
        enhance(job);
    } catch (const Error& error) {
        return error.kind();
    }
    ADD_FAILURE() << "must be refused";
    return ErrorKind::internal;
}

TEST_F(Crash, or_not_the_input_is_never_written_to) {
    const Content film = read_bytes(root_ / "in.mp4");
    for (const char* ending : {".part", ".millstream.json", ".millstream.json.tmp"}) {
        const std::filesystem::path beside = options().output.string() + ending;
        for (const char* how : {"the file itself", "a link", "a symbolic link"}) {
            SCOPED_TRACE(std::string(ending) + ", " + how);
            put({});
            Options job = options();
            if (how == std::string("the file itself")) {
                write_bytes(beside, film);
                job.input = beside;
            } else if (how == std::string("a link")) {
                std::filesystem::create_hard_link(job.input, beside);
            } else {
                std::filesystem::create_symlink(job.input, beside);
            }
            job.resume = Resume::never;
            EXPECT_EQ(kind_of(job), ErrorKind::usage);
            EXPECT_THROW(FrameWriter(job.output, FrameReader(job.input), job), Error);
            EXPECT_EQ(read_bytes(job.input), film);
        }
    }
}

TEST_F(Crash, of_another_program_leaves_an_out_part_that_is_not_touched) {
    const std::filesystem::path part = options().output.string() + ".part";
    const Content download = read_bytes(root_ / "in.mp4");
    put({{part.string(), download}});
    EXPECT_EQ(kind_of(options()), ErrorKind::refused);
    EXPECT_THROW(FrameWriter(options().output, FrameReader(options().input), options()), Error);
    EXPECT_EQ(read_bytes(part), download);
    put({{part.string(), {}}});   // empty: nothing to lose
    EXPECT_EQ(enhance(options()).frames, 60);
    put({{part.string(), download}});
    Options anew = options();
    anew.resume = Resume::never;
    EXPECT_EQ(enhance(anew).frames, 60);
}

TEST_F(Crash, before_the_first_checkpoint_is_known_by_its_mark) {
    const std::filesystem::path part = options().output.string() + ".part";
    const std::filesystem::path checkpoint = options().output.string() + ".millstream.json";
    const Content beginning(1000);
    const std::string mark = begun_text();
    const auto* first = reinterpret_cast<const std::byte*>(mark.data());
    put({{part.string(), beginning}, {checkpoint.string(), Content(first, first + mark.size())}});
    Options required = options();
    required.resume = Resume::require;
    EXPECT_EQ(kind_of(required), ErrorKind::refused);
    const Report report = enhance(options());
    EXPECT_EQ(report.resumed_frames, 0);
    EXPECT_EQ(files_there(), std::vector<std::string>{"film.mp4"});
}

TEST_F(Crash, of_a_writer_of_frames_is_not_mistaken_for_a_job_and_a_job_is_not_overwritten) {
    WatchedFiles files;
    int syncs = 0;
    files.before = [&](const FileChange& change) {
        return change.kind == FileChange::Kind::sync && ++syncs == 7 ? EIO : 0;
    };
    EXPECT_THROW(enhance_through(files, options()), Error);
    ASSERT_EQ(files_there().size(), 2U);
    EXPECT_THROW(FrameWriter(options().output, FrameReader(options().input), options()), Error);
    EXPECT_EQ(enhance(options()).resumed_frames, 24);
    put({});
    {
        FrameReader reader(options().input);
        FrameWriter writer(options().output, reader, options());
        writer.write(reader.next());
        EXPECT_EQ(files_there().size(), 2U);
    }
    EXPECT_TRUE(files_there().empty()) << "without finish() nothing is left";
}

// Changes nothing; stops the job behind some frames where it is told to.
class Filter : public FrameFilter {
public:
    explicit Filter(std::int64_t frames) : left_(frames) {}
    void process(FilterBatch& /*batch*/) override {
        if (left_-- == 0) {
            throw Error(ErrorKind::usage, {"filtering", "", "enough", ""});
        }
    }

private:
    std::int64_t left_;
};

TEST_F(Crash, of_a_job_with_a_filter_is_not_mixed_with_one_without) {
    Filter failing(55);
    Options one_by_one = options();
    one_by_one.runner = Runner::serial;
    try {
        enhance(one_by_one, failing);
        ADD_FAILURE() << "the filter throws";
    } catch (const Error& error) {
        const std::string said = error.what();
        EXPECT_NE(said.find("48 frames are in"), std::string::npos) << said;
        EXPECT_NE(said.find("The same call starts again"), std::string::npos) << said;
    }
    ASSERT_EQ(files_there().size(), 2U) << "what is committed stays, whatever went wrong";
    EXPECT_EQ(kind_of(options()), ErrorKind::refused);
    Filter filter(1000);
    Options required = options();
    required.resume = Resume::require;
    EXPECT_THROW(enhance(required, filter), Error);
    ASSERT_EQ(files_there().size(), 2U);
    EXPECT_EQ(enhance(options(), filter).resumed_frames, 0);

    put({});
    WatchedFiles files;
    int syncs = 0;
    files.before = [&](const FileChange& change) {
        return change.kind == FileChange::Kind::sync && ++syncs == 7 ? EIO : 0;
    };
    EXPECT_THROW(enhance_through(files, options()), Error);
    EXPECT_THROW(enhance(options(), filter), Error) << "a plain run's";
    EXPECT_EQ(enhance(options()).resumed_frames, 24);
}

TEST_F(Crash, leaves_nothing_that_clean_does_not_remove) {
    const std::string output = options().output.string();
    put({{output + ".part", Content(10)},
         {output + ".millstream.json", Content(10)},
         {output + ".millstream.json.tmp", Content(10)}});
    EXPECT_EQ(remove_leftovers(output).size(), 3U);
    EXPECT_TRUE(files_there().empty());
}

TEST(Checkpoint, that_is_none_is_refused_and_nothing_else_happens) {
    const std::string head = R"({"format": "millstream checkpoint", "version": 4, )";
    const std::string deep = std::string(20'000, '[') + std::string(20'000, ']');
    for (const std::string& text :
         {std::string(), std::string("{"), std::string("[]"), std::string(R"({"format": 1})"), std::string("{}"),
          std::string(R"({"format": "millstream checkpoint", "version": "4"})"), head + R"("content": 1})",
          head + R"("content": {}, "sha256": 1})", head + R"("content": )" + deep + "}",
          std::string(70'000, ' ') + "{}"}) {
        try {
            parse_checkpoint(text, "OUT.millstream.json");
            ADD_FAILURE() << text.substr(0, 100);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::refused);
        }
    }
    EXPECT_FALSE(parse_checkpoint(begun_text(), "OUT.millstream.json"));
}

TEST(Checkpoint, that_would_be_too_large_is_not_written) {
    Checkpoint checkpoint;
    checkpoint.asked = "{}";
    checkpoint.resolved.chunk_frames = 24;
    checkpoint.output.tracks.resize(300);
    WatchedFiles files;
    files.before = [](const FileChange&) { return ENOSPC; };
    const auto kind = [&] {
        try {
            write_checkpoint(files, "/nowhere/c", checkpoint);
        } catch (const Error& error) {
            return error.kind();
        }
        return ErrorKind::internal;
    };
    EXPECT_EQ(kind(), ErrorKind::resource) << "fits, where it is written without spaces";
    checkpoint.output.tracks.resize(3000);
    EXPECT_EQ(kind(), ErrorKind::refused);
}

}   // namespace
}   // namespace millstream
