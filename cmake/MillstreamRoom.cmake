# One CMake target a room. LINKS names what the room may know; the link graph is the dependency rule.
#   millstream_room(media SOURCES probe.cpp ... LINKS picture PRIVATE_LINKS PkgConfig::FFMPEG)
#   millstream_room_tests(media SOURCES probe_test.cpp ...)
# PRECOMPILE: headers that most files of a room include and that take seconds to read, such as Torch's.

find_program(CCACHE ccache)
if(CCACHE)
  # What ccache asks for where headers are precompiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND};-E;env;CCACHE_SLOPPINESS=pch_defines,time_macros;${CCACHE}")
endif()

add_library(millstream_flags INTERFACE)
target_compile_options(millstream_flags INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # False alarms on "text" + std::string at -O3 (GCC bug 105651).
  target_compile_options(millstream_flags INTERFACE -Wno-restrict)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL Clang)
  # Macros of FFmpeg's headers are compound literals (AV_TIME_BASE_Q); GCC's -Wconversion leaves signs out, too.
  target_compile_options(millstream_flags INTERFACE -Wno-c99-extensions -Wno-sign-conversion)
endif()
if(MILLSTREAM_SANITIZE)
  add_compile_options(-fsanitize=${MILLSTREAM_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${MILLSTREAM_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    # GCC warns of uninitialised optionals in instrumented code only (GCC bug 80635 and its like).
    target_compile_options(millstream_flags INTERFACE -Wno-maybe-uninitialized)
  endif()
  if(MILLSTREAM_SANITIZE MATCHES undefined)
    # Torch hides its type information: the vptr check cannot link against it.
    add_compile_options(-fno-sanitize=vptr -fno-sanitize-recover=undefined)
  endif()
endif()

function(millstream_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;LINKS;PRIVATE_LINKS;PRECOMPILE" ${ARGN})
  add_library(millstream_${name} STATIC ${ROOM_SOURCES})
  target_include_directories(millstream_${name} PUBLIC "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/src")
  foreach(link IN LISTS ROOM_LINKS)
    target_link_libraries(millstream_${name} PUBLIC millstream_${link})
  endforeach()
  target_link_libraries(millstream_${name} PRIVATE millstream_flags ${ROOM_PRIVATE_LINKS})
  # GCC 12 forgets, behind a precompiled header, what is a system's header, and warns of false alarms in it at -O3.
  if(ROOM_PRECOMPILE AND CMAKE_CXX_COMPILER_ID STREQUAL Clang)
    target_precompile_headers(millstream_${name} PRIVATE ${ROOM_PRECOMPILE})
  endif()
endfunction()

# ALONE: a test suite that needs a process of its own.
function(millstream_room_tests name)
  cmake_parse_arguments(ROOM "" "ALONE" "SOURCES;LINKS;PRECOMPILE" ${ARGN})
  add_executable(${name}_tests ${ROOM_SOURCES})
  target_include_directories(${name}_tests PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_link_libraries(${name}_tests PRIVATE millstream_${name} millstream_flags ${ROOM_LINKS} GTest::gmock_main)
  if(MILLSTREAM_SANITIZE)
    target_compile_definitions(${name}_tests PRIVATE MILLSTREAM_SANITIZED)   # memory is not given back at once
  endif()
  target_precompile_headers(${name}_tests PRIVATE <gmock/gmock.h> <gtest/gtest.h> ${ROOM_PRECOMPILE})
  target_compile_options(${name}_tests PRIVATE -O1)   # what tests themselves do takes no time, but compiling it does
  if(NOT ROOM_ALONE)
    add_test(NAME ${name} COMMAND ${name}_tests)
    return()
  endif()
  add_test(NAME ${name} COMMAND ${name}_tests "--gtest_filter=-${ROOM_ALONE}.*")
  add_test(NAME ${name}_alone COMMAND ${name}_tests "--gtest_filter=${ROOM_ALONE}.*")
endfunction()
