#include "resource/file_ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/bytes.h"
#include "millstream/error.h"

namespace millstream {
namespace {

// A folder of its own on a disk (the test's working folder), gone with the test.
class Ledger : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = (std::filesystem::current_path() / "millstream-ledger-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    // Leaves the file open.
    int write_file(const std::string& name, std::size_t bytes) {
        const int file = ::open((folder_ / name).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        EXPECT_GE(file, 0);
        const std::string text(bytes, 'x');
        EXPECT_EQ(::write(file, text.data(), text.size()), static_cast<ssize_t>(bytes));
        return file;
    }

    std::filesystem::path folder_;
};

TEST_F(Ledger, r7_4_expected_files_are_listed_with_their_bytes_and_nothing_is_unexplained) {
    FileLedger ledger;
    ledger.expect(folder_ / "out.part", "output");
    ledger.expect(folder_ / "never-touched", "report");
    const int file = write_file("out.part", 3 * kMiB);
    ledger.look();
    ledger.count_written(folder_ / "out.part", 3 * kMiB);
    ::close(file);
    const auto files = ledger.files();
    ASSERT_EQ(files.size(), 1U);
    EXPECT_EQ(files[0].role, "output");
    EXPECT_EQ(files[0].bytes_written, 3 * kMiB);
    EXPECT_EQ(ledger.traffic().accounted_bytes, 3 * kMiB);
    EXPECT_EQ(ledger.traffic().unexplained_bytes, 0U);
    EXPECT_NO_THROW(require_expected(files, ledger.traffic()));
}

TEST_F(Ledger, a_file_nobody_expects_is_named_while_it_is_open) {
    FileLedger ledger;
    const int file = write_file("frame-0001.png", 1000);
    ledger.look();
    ::close(file);
    const auto files = ledger.files();
    ASSERT_EQ(files.size(), 1U);
    EXPECT_EQ(files[0].role, "unexpected");
    try {
        require_expected(files, ledger.traffic());
        FAIL() << "must be refused";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::difference);
        EXPECT_THAT(error.what(), testing::HasSubstr("frame-0001.png"));
    }
}

TEST_F(Ledger, what_goes_to_the_disk_between_two_looks_is_seen_by_the_kernels_counter) {
    FileLedger ledger;
    ::close(write_file("hidden", 8 * kMiB));
    ledger.look();
    if (ledger.traffic().written_bytes == 0) {
        GTEST_SKIP() << "this file system does not count what is written to it";
    }
    EXPECT_TRUE(ledger.files().empty());
    EXPECT_GE(ledger.traffic().unexplained_bytes, 8 * kMiB);
    EXPECT_THROW(require_expected(ledger.files(), ledger.traffic()), Error);
}

TEST_F(Ledger, files_that_were_open_before_belong_to_somebody_else) {
    const int log = write_file("log", 10);
    FileLedger ledger;
    ledger.look();
    ::close(log);
    EXPECT_TRUE(ledger.files().empty());
}

}   // namespace
}   // namespace millstream
