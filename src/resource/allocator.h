// Keeps the C library's allocator from holding on to memory that the program has freed.
#pragma once

namespace millstream {

/// Call once at the start of a program, before it starts threads. Does nothing where the C library is not glibc.
/// A library must not decide this for its host: only Millstream's own programs call it. Note [Allocator settings].
void bound_allocator();

}   // namespace millstream
