// Files that are written, replaced and locked.
#include "base/file.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <string>

#include "base/faulty_files.h"
#include "base/sha256.h"
#include "millstream/error.h"

namespace millstream {
namespace {

class FileTest : public ::testing::Test {
protected:
    void SetUp() override {
        std::string pattern = (std::filesystem::temp_directory_path() / "millstream-file-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    static std::string text_of(const std::filesystem::path& path) {
        std::ifstream file(path);
        return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    }
    static std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

    std::filesystem::path folder_;
};

TEST_F(FileTest, reads_back_what_was_written_where_it_was_written) {
    File file(system_files(), folder_ / "a", File::Open::existing_or_empty);
    file.write(0, bytes_of("abcdef"));
    file.write(2, bytes_of("XY"));
    std::string back(4, ' ');
    file.read(1, std::as_writable_bytes(std::span(back)));
    EXPECT_EQ(back, "bXYe");
    EXPECT_THROW(file.read(3, std::as_writable_bytes(std::span(back))), Error) << "the file ends before";
    file.resize(3);
    EXPECT_EQ(file.size(), 3U);
}

TEST_F(FileTest, is_locked_by_one_at_a_time) {
    File first(system_files(), folder_ / "a", File::Open::existing_or_empty);
    EXPECT_TRUE(first.lock());
    File second(system_files(), folder_ / "a", File::Open::existing);
    EXPECT_FALSE(second.lock());
    { const File gone = std::move(first); }
    EXPECT_TRUE(second.lock());
}

TEST_F(FileTest, is_replaced_as_a_whole_or_not_at_all) {
    const auto path = folder_ / "a";
    replace_file(system_files(), path, "old");
    for (const auto kind : {testing::FileChange::Kind::create, testing::FileChange::Kind::write,
                            testing::FileChange::Kind::sync, testing::FileChange::Kind::rename}) {
        testing::WatchedFiles files;
        files.before = [&](const testing::FileChange& change) { return change.kind == kind ? ENOSPC : 0; };
        EXPECT_THROW(replace_file(files, path, "new"), Error);
        EXPECT_EQ(text_of(path), "old");
    }
    replace_file(system_files(), path, "new");
    EXPECT_EQ(text_of(path), "new");
    EXPECT_FALSE(std::filesystem::exists(folder_ / "a.tmp"));
}

TEST_F(FileTest, syncs_content_name_and_folder_in_that_order) {
    std::string order;
    testing::WatchedFiles files;
    files.before = [&](const testing::FileChange& change) {
        order += "cwrsmx"[static_cast<int>(change.kind)];
        return 0;
    };
    replace_file(files, folder_ / "a", "text");
    EXPECT_EQ(order, "crwsms") << "create, resize, write, sync, rename (m), sync of the folder";
}

TEST_F(FileTest, that_cannot_be_opened_is_refused_with_the_reason) {
    try {
        File(system_files(), folder_ / "missing" / "a", File::Open::existing_or_empty);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::refused);
        EXPECT_NE(std::string(error.what()).find("No such file"), std::string::npos);
    }
}

// FIPS 180-2, appendix B.1.
TEST(Sha256Test, of_pieces_is_that_of_the_whole) {
    Sha256 hash;
    hash.add(std::as_bytes(std::span(std::string_view("a"))));
    hash.add(std::as_bytes(std::span(std::string_view("bc"))));
    EXPECT_EQ(hash.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}   // namespace
}   // namespace millstream
