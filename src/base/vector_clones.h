// Loops over pixels compiled for more than one instruction set.
#pragma once

// Put before a function whose loops the compiler vectorises: it is compiled for plain x86-64 and for x86-64-v3 (AVX2,
// FMA), and the loader picks. What it calls must be inlined into it to be part of that. The sanitizers' run-time
// libraries are not up yet when the loader picks; with them, and elsewhere, there is one version.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define MILLSTREAM_VECTOR_CLONES __attribute__((target_clones("default", "arch=x86-64-v3")))
#else
#define MILLSTREAM_VECTOR_CLONES
#endif

// In the place of `inline`, before what such a function calls.
#if defined(__GNUC__)
#define MILLSTREAM_VECTOR_PART inline __attribute__((always_inline))
#else
#define MILLSTREAM_VECTOR_PART inline
#endif
