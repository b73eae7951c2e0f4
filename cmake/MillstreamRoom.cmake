# One CMake target a room. LINKS names what the room may know; the link graph is the dependency rule.
#   millstream_room(media SOURCES probe.cpp ... LINKS picture PRIVATE_LINKS PkgConfig::FFMPEG)
#   millstream_room_tests(media SOURCES probe_test.cpp ...)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE}")
endif()

add_library(millstream_flags INTERFACE)
target_compile_options(millstream_flags INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # False alarms on "text" + std::string at -O3 (GCC bug 105651).
  target_compile_options(millstream_flags INTERFACE -Wno-restrict)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL Clang)
  # Macros of FFmpeg's headers are compound literals (AV_TIME_BASE_Q).
  target_compile_options(millstream_flags INTERFACE -Wno-c99-extensions)
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
  cmake_parse_arguments(ROOM "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(millstream_${name} STATIC ${ROOM_SOURCES})
  target_include_directories(millstream_${name} PUBLIC "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/src")
  foreach(link IN LISTS ROOM_LINKS)
    target_link_libraries(millstream_${name} PUBLIC millstream_${link})
  endforeach()
  target_link_libraries(millstream_${name} PRIVATE millstream_flags ${ROOM_PRIVATE_LINKS})
endfunction()

function(millstream_room_tests name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name}_tests ${ROOM_SOURCES})
  target_include_directories(${name}_tests PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_link_libraries(${name}_tests PRIVATE millstream_${name} millstream_flags ${ROOM_LINKS} GTest::gmock_main)
  add_test(NAME ${name} COMMAND ${name}_tests)
endfunction()
