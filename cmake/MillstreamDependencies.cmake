# Everything from outside. System libraries by pkg-config and CMake packages; Torch and OpenVINO from the PyPI wheels in
# MILLSTREAM_VENV, as imported targets of our own: the wheel's own find_package(Torch) fails with CMake 3.25 where a CUDA
# toolkit is installed, and would link every CUDA library.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(FFMPEG REQUIRED IMPORTED_TARGET libavformat libavcodec libavfilter libavutil libswscale)
pkg_check_modules(ZIMG REQUIRED IMPORTED_TARGET zimg)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(yaml-cpp REQUIRED)
if(MILLSTREAM_TESTS)
  find_package(GTest REQUIRED)
endif()

# In MILLSTREAM_VENV, else in the environment of the Python that builds a wheel.
file(GLOB MILLSTREAM_SITE_PACKAGES LIST_DIRECTORIES true "${MILLSTREAM_VENV}/lib/python3*/site-packages")
list(LENGTH MILLSTREAM_SITE_PACKAGES count)
if(NOT count EQUAL 1 OR NOT EXISTS "${MILLSTREAM_SITE_PACKAGES}/torch/lib/libtorch_cpu.so"
   OR NOT EXISTS "${MILLSTREAM_SITE_PACKAGES}/openvino/include")
  set(MILLSTREAM_SITE_PACKAGES "")
  if(Python_EXECUTABLE)
    execute_process(COMMAND "${Python_EXECUTABLE}" "${PROJECT_SOURCE_DIR}/python/torch_folder.py"
      OUTPUT_VARIABLE MILLSTREAM_SITE_PACKAGES)
  endif()
  if(NOT MILLSTREAM_SITE_PACKAGES)
    message(FATAL_ERROR "torch and openvino are neither in ${MILLSTREAM_VENV} nor beside the Python that builds. Run "
      "./dev setup first, or name the environment that has them: -D MILLSTREAM_VENV=FOLDER.")
  endif()
endif()

set(torch_root "${MILLSTREAM_SITE_PACKAGES}/torch")
add_library(millstream_torch INTERFACE)
target_include_directories(millstream_torch SYSTEM INTERFACE
  "${torch_root}/include" "${torch_root}/include/torch/csrc/api/include")
# libtorch_cpu and libc10 only: one binary serves CPU and CUDA, whose library is loaded at run time where it exists.
target_link_libraries(millstream_torch INTERFACE
  "${torch_root}/lib/libtorch_cpu.so" "${torch_root}/lib/libc10.so")

set(openvino_root "${MILLSTREAM_SITE_PACKAGES}/openvino")
file(GLOB openvino_library "${openvino_root}/libs/libopenvino.so.*")
add_library(millstream_openvino INTERFACE)
target_include_directories(millstream_openvino SYSTEM INTERFACE "${openvino_root}/include")
target_link_libraries(millstream_openvino INTERFACE "${openvino_library}")

# Binaries run from any directory without environment variables.
set(CMAKE_BUILD_RPATH "${torch_root}/lib;${openvino_root}/libs;${MILLSTREAM_SITE_PACKAGES}/nvidia/cu13/lib")
