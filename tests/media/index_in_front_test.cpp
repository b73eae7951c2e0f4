// The index of an MP4 goes in front where it fits, and the file stays as it is where it does not.
#include "media/index_in_front.h"

#include <gtest/gtest.h>

#include <string>

#include "media/synthetic_file.h"
#include "media/temporary_folder.h"

namespace millstream {
namespace {

std::string box(const std::string& type, const std::string& content) {
    const std::size_t size = content.size() + 8;
    std::string text;
    for (int shift = 24; shift >= 0; shift -= 8) {
        text += static_cast<char>(size >> shift & 0xff);
    }
    return text + type + content;
}

class IndexInFront : public ::testing::Test {
protected:
    void write(const std::string& content) {
        testing::write_bytes(path_, std::vector<std::uint8_t>(content.begin(), content.end()));
    }
    [[nodiscard]] std::string read() const {
        const auto bytes = testing::read_bytes(path_);
        return {bytes.begin(), bytes.end()};
    }

    bool move(std::uint64_t offset, std::uint64_t room) const {
        PartFile file(system_files(), path_, std::filesystem::file_size(path_));
        return move_index_to_front(file, offset, room);
    }

    testing::TemporaryFolder folder_;
    std::filesystem::path path_ = folder_ / "file.mp4";
    std::string first_ = box("ftyp", "isom");
    std::string pictures_ = box("mdat", "pictures");
    std::string index_ = box("moov", "where the pictures are");
};

TEST_F(IndexInFront, fills_the_room_and_leaves_the_rest_free) {
    write(first_ + box("free", std::string(92, 'x')) + pictures_ + index_);
    EXPECT_TRUE(move(first_.size(), 100));
    const std::string after = read();
    EXPECT_EQ(after.substr(0, first_.size() + index_.size()), first_ + index_);
    EXPECT_EQ(after.substr(after.size() - pictures_.size()), pictures_);
    EXPECT_EQ(after.size(), first_.size() + 100 + pictures_.size());
    EXPECT_EQ(after.substr(first_.size() + index_.size() + 4, 4), "free");
}

TEST_F(IndexInFront, may_fill_the_room_exactly) {
    write(first_ + box("free", std::string(index_.size() - 8, 'x')) + pictures_ + index_);
    EXPECT_TRUE(move(first_.size(), index_.size()));
    EXPECT_EQ(read(), first_ + index_ + pictures_);
}

TEST_F(IndexInFront, changes_nothing_where_it_does_not_fit) {
    for (const std::size_t room : {index_.size() - 1, index_.size() + 1, index_.size() + 7}) {
        const std::string whole = first_ + box("free", std::string(room - 8, 'x')) + pictures_ + index_;
        write(whole);
        EXPECT_FALSE(move(first_.size(), room)) << room;
        EXPECT_EQ(read(), whole);
    }
    write(first_ + box("free", std::string(92, 'x')) + pictures_);
    EXPECT_FALSE(move(first_.size(), 100)) << "there is no index";
}

}   // namespace
}   // namespace millstream
