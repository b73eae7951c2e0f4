// Which backend runs a network, what is refused, and what its failures are called.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>
#include <stdexcept>
#include <string>

#include "base/cpu.h"
#include "millstream/error.h"
#include "model/executor.h"
#include "model/executor_error.h"

namespace millstream {
namespace {

using testing::HasSubstr;

TEST(ResolveBackend, means_openvino_on_the_cpu) {
    ExecutorSettings settings;
    settings.threads = 0;
    resolve_backend(settings);
    EXPECT_EQ(settings.backend, Backend::openvino);
    EXPECT_EQ(settings.precision, cpu_gains_from_bf16() ? Precision::bf16 : Precision::fp32);
    EXPECT_EQ(settings.threads, usable_cpus());
}

TEST(ResolveBackend, refuses_what_cannot_be) {
    const auto refusal = [](Backend backend, Precision precision, const char* device) -> std::string {
        ExecutorSettings settings;
        settings.backend = backend;
        settings.precision = precision;
        settings.device = device;
        try {
            resolve_backend(settings);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::usage);
            return error.what();
        }
        return "accepted";
    };
    EXPECT_THAT(refusal(Backend::automatic, Precision::fp16, "cpu"), HasSubstr("fp16 needs a GPU"));
    EXPECT_THAT(refusal(Backend::openvino, Precision::fp32, "cuda:0"), HasSubstr("OpenVINO does not run on cuda:0"));
    EXPECT_THAT(refusal(Backend::torch, Precision::fp32, "openvino:GPU"), HasSubstr("Torch does not run on"));
    if (!cpu_has_bf16()) {
        EXPECT_THAT(refusal(Backend::openvino, Precision::bf16, "cpu"), HasSubstr("no bf16 arithmetic"));
        EXPECT_THAT(refusal(Backend::automatic, Precision::bf16, "cpu"), HasSubstr("no bf16 arithmetic"));
        EXPECT_EQ(refusal(Backend::torch, Precision::bf16, "cpu"), "accepted");
    }
}

TEST(MakeExecutor, wants_resolved_settings) {
    EXPECT_THROW(make_executor(identity_network(), ExecutorSettings{}), Error);
}

TEST(ExecutorError, tells_lack_of_memory_from_other_failures) {
    const auto kind_of = [](const auto& failure) {
        try {
            throw_executor_error(std::make_exception_ptr(failure), "running", "net");
        } catch (const Error& error) {
            EXPECT_THAT(error.what(), HasSubstr("running (net)"));
            return error.kind();
        }
    };
    EXPECT_EQ(kind_of(std::bad_alloc()), ErrorKind::resource);
    EXPECT_EQ(kind_of(std::runtime_error("[enforce fail at alloc_cpu.cpp:126] DefaultCPUAllocator: not enough memory")),
              ErrorKind::resource);
    EXPECT_EQ(kind_of(std::runtime_error("CUDA out of memory. Tried to allocate 2 GiB")), ErrorKind::resource);
    EXPECT_EQ(kind_of(std::runtime_error("could not create a memory object")), ErrorKind::resource);
    EXPECT_EQ(kind_of(std::runtime_error("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes")),
              ErrorKind::resource);
    EXPECT_EQ(kind_of(std::runtime_error("CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate(handle)")),
              ErrorKind::resource);
    EXPECT_EQ(kind_of(std::runtime_error("clEnqueueNDRangeKernel failed with CL_OUT_OF_RESOURCES")),
              ErrorKind::resource);
    EXPECT_EQ(kind_of(std::runtime_error("shapes do not match")), ErrorKind::model);
}

TEST(Executors, name_their_versions) {
    EXPECT_THAT(backend_versions(), testing::MatchesRegex("torch [0-9.]+.*, OpenVINO [0-9.]+"));
}

}   // namespace
}   // namespace millstream
