#include "model/library.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <set>
#include <span>

#include "base/sha256.h"
#include "millstream/error.h"
#include "model/network.h"

namespace millstream {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

/// A folder that goes when the test ends.
class Folder {
public:
    Folder() {
        std::string name = testing::TempDir() + "millstream-XXXXXX";
        path_ = mkdtemp(name.data());
    }
    ~Folder() { fs::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    [[nodiscard]] const fs::path& path() const { return path_; }

private:
    fs::path path_;
};

/// An environment variable with another value for a while.
class Variable {
public:
    Variable(const char* name, const std::string& value) : name_(name) {
        const char* old = std::getenv(name);
        set_ = old != nullptr;
        old_ = set_ ? old : "";
        setenv(name, value.c_str(), 1);
    }
    ~Variable() { set_ ? setenv(name_, old_.c_str(), 1) : unsetenv(name_); }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;

private:
    const char* name_;
    std::string old_;
    bool set_ = false;
};

void write(const fs::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
}

Error error_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error;
    }
    return {ErrorKind::internal, {"nothing was thrown", {}, {}, {}}};
}

TEST(Sha256, knows_the_published_values) {   // FIPS 180-4 examples
    EXPECT_EQ(sha256_of({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    const std::string abc = "abc";
    EXPECT_EQ(sha256_of(std::as_bytes(std::span(abc))),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Catalogue, is_complete) {
    std::set<std::pair<std::string, int>> seen;
    std::string last;
    int scale = 0;
    for (const ModelInfo& info : list_models()) {
        EXPECT_TRUE(seen.emplace(info.name, info.scale).second) << info.name << " appears twice";
        EXPECT_FALSE(info.architecture.empty() || info.description.empty() || info.licence.empty() ||
                     info.origin.empty())
            << info.name;
        EXPECT_TRUE(info.name != last || info.scale > scale) << "scales must rise: " << info.name;
        last = info.name;
        scale = info.scale;
        for (const ModelFile& file : info.files) {
            EXPECT_EQ(file.sha256.size(), 64U) << file.name;
        }
        if (!info.package.empty()) {
            EXPECT_EQ(info.files.size(), 2U);
            EXPECT_THAT(std::string(weight_requirements()), HasSubstr(info.package)) << "requirements-weights.txt";
        } else {
            EXPECT_TRUE(info.installed());
        }
    }
    EXPECT_TRUE(seen.contains({"realesr-animevideov3", 2}));
    EXPECT_TRUE(seen.contains({"identity", 1}));
}

TEST(Catalogue, every_installed_network_loads_and_has_its_scale) {
    int loaded = 0;
    for (const ModelInfo& info : list_models()) {
        if (!info.installed()) {
            continue;
        }
        const LoadedModel model = load_model(info.name, info.scale);
        EXPECT_EQ(model.name, info.name);
        EXPECT_EQ(model.network.scale, info.scale) << info.name;
        if (!info.files.empty()) {
            EXPECT_EQ(model.sha256, info.files[1].sha256);
            EXPECT_EQ(model.file, info.path / info.files[0].name);
            ++loaded;
        }
    }
    if (loaded == 0) {
        GTEST_SKIP() << "the weight packages are not installed";
    }
}

TEST(LoadModel, counts_loads) {
    const std::int64_t before = model_load_count();
    (void)load_model("identity", 2);
    EXPECT_EQ(model_load_count(), before + 1);
    EXPECT_THROW((void)load_model("no such network", 2), Error);
    EXPECT_EQ(model_load_count(), before + 1);
}

TEST(LoadModel, names_the_networks_there_are_when_it_does_not_know_one) {
    const Error error = error_of([] { (void)load_model("realesr-animevideo", 2); });
    EXPECT_EQ(error.kind(), ErrorKind::model);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("realesr-animevideov3"), HasSubstr("span")));
}

TEST(LoadModel, takes_the_file_set_that_serves_the_scale_best) {
    if (find_entry(catalogue()[0], model_search_path()).empty()) {
        GTEST_SKIP() << "the weight packages are not installed";
    }
    EXPECT_EQ(load_model("realesr-animevideov3", 1).network.scale, 2);
    EXPECT_EQ(load_model("realesr-animevideov3", 2).network.scale, 2);
    EXPECT_EQ(load_model("realesr-animevideov3", 3).network.scale, 3);
    EXPECT_EQ(load_model("realesr-animevideov3", 4).network.scale, 4);
    EXPECT_EQ(load_model("realesr-animevideov3", 8).network.scale, 4);
    EXPECT_EQ(load_model("span", 3).network.scale, 4);
    EXPECT_EQ(load_model("span-hfa2k", 4).network.scale, 2);
}

TEST(LoadModel, refuses_damaged_catalogue_files) {
    const Folder folder;
    write(folder.path() / "REALESRGAN_ANIMAVIDEOV3_UP2X.param", "7767517\n");
    write(folder.path() / "REALESRGAN_ANIMAVIDEOV3_UP2X.bin", "x");
    const Variable models("MILLSTREAM_MODELS", folder.path());
    const Error error = error_of([] { (void)load_model("realesr-animevideov3", 2); });
    EXPECT_EQ(error.kind(), ErrorKind::model);
    EXPECT_THAT(error.what(), AllOf(HasSubstr(folder.path().string()), HasSubstr("SHA-256"), HasSubstr("fetch")));
}

TEST(LoadModel, reads_a_file_by_its_path) {
    const Folder folder;
    write(folder.path() / "own.param",
          "7767517\n2 2\nInput data 0 1 data\nBinaryOp twice 1 1 data output 0=2 1=1 2=2.0\n");
    write(folder.path() / "own.bin", "");
    const LoadedModel model = load_model(folder.path() / "own.param", 2);
    EXPECT_EQ(model.name, "own");
    EXPECT_EQ(model.network.scale, 1);
    EXPECT_EQ(model.sha256, sha256_of({}));
    EXPECT_EQ(model.file, folder.path() / "own.param");
}

TEST(LoadModel, never_reads_other_formats) {
    const Folder folder;
    write(folder.path() / "net.pth", "\x80\x02}q\x01.");
    const Error error = error_of([&] { (void)load_model(folder.path() / "net.pth", 2); });
    EXPECT_EQ(error.kind(), ErrorKind::model);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("net.pth"), HasSubstr(".param")));
    write(folder.path() / "net.param", "7767517\n1 1\nInput data 0 1 data\n");
    EXPECT_THAT(error_of([&] { (void)load_model(folder.path() / "net.param", 2); }).what(),
                AllOf(HasSubstr("net.bin"), HasSubstr("no such file")));
    EXPECT_THAT(error_of([&] { (void)load_model(folder.path() / "missing.param", 2); }).what(),
                AllOf(HasSubstr("missing.param"), HasSubstr("no such file")));
    fs::create_directory(folder.path() / "folder.param");
    EXPECT_THAT(error_of([&] { (void)load_model(folder.path() / "folder.param", 2); }).what(), HasSubstr("not a file"));
}

TEST(ModelSearchPath, looks_where_the_user_says_first) {
    const Variable models("MILLSTREAM_MODELS", "/first:/second");
    const Variable data("XDG_DATA_HOME", "/data");
    const std::vector<fs::path> folders = model_search_path();
    ASSERT_EQ(folders.size(), 4U);
    EXPECT_EQ(folders[0], "/first");
    EXPECT_EQ(folders[1], "/second");
    EXPECT_TRUE(fs::exists(folders[2] / "torch"));   // the site-packages that Torch was loaded from
    EXPECT_EQ(folders[3], "/data/millstream/models");
}

TEST(ModelSearchPath, falls_back_to_the_home_folder) {
    const Variable data("XDG_DATA_HOME", "relative/is/ignored");
    const Variable home("HOME", "/folder/of/someone");
    EXPECT_EQ(model_search_path().back(), "/folder/of/someone/.local/share/millstream/models");
}

// fetch_models() with a python3 of our own in front.

class FetchTest : public testing::Test {
protected:
    void python(const std::string& script) {
        const fs::path file = folder_.path() / "python3";
        write(file, "#!/bin/sh\n" + script);
        fs::permissions(file, fs::perms::owner_all);
    }
    Folder folder_;
    Variable path_{"PATH", folder_.path().string() + ":/usr/bin:/bin"};
    Variable data_{"XDG_DATA_HOME", (folder_.path() / "data").string()};
};

TEST_F(FetchTest, gives_pip_the_pinned_requirements_and_the_folder) {
    python("cat > '" + (folder_.path() / "input").string() + "'\nprintf '%s\\n' \"$@\" > '" +
           (folder_.path() / "words").string() + "'\n");
    const fs::path target = folder_.path() / "data" / "millstream" / "models";
    EXPECT_EQ(fetch_models(), target);
    EXPECT_TRUE(fs::is_directory(target));
    const auto read = [&](const char* name) {
        std::ifstream file(folder_.path() / name);
        return std::string(std::istreambuf_iterator<char>(file), {});
    };
    EXPECT_EQ(read("input"), weight_requirements());
    EXPECT_THAT(read("words"), AllOf(HasSubstr("--require-hashes\n"), HasSubstr("--no-deps\n"),
                                     HasSubstr("--target\n" + target.string() + "\n")));
}

TEST_F(FetchTest, says_what_went_wrong) {
    python("echo 'No module named pip' >&2; exit 1\n");
    EXPECT_THAT(error_of([] { fetch_models(); }).what(), AllOf(HasSubstr("no pip"), HasSubstr("apt install")));
    python("echo 'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.'; exit 1\n");
    EXPECT_THAT(error_of([] { fetch_models(); }).what(), HasSubstr("hash differs"));
    python("echo 'no route to host'; exit 7\n");
    EXPECT_THAT(error_of([] { fetch_models(); }).what(), AllOf(HasSubstr("code 7"), HasSubstr("no route to host")));
    python("kill -9 $$\n");
    EXPECT_THAT(error_of([] { fetch_models(); }).what(), HasSubstr("code 137"));
}

TEST_F(FetchTest, says_that_python_is_missing) {
    const Variable nothing("PATH", (folder_.path() / "nothing").string());
    const Error error = error_of([] { fetch_models(); });
    EXPECT_EQ(error.kind(), ErrorKind::model);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("python3 cannot be started"), HasSubstr("Install Python")));
}

}   // namespace
}   // namespace millstream
