// A shared library that is loaded at run time because it may be absent.
#pragma once

#include <dlfcn.h>

namespace millstream {

/// Loaded for as long as this exists; absent where there is none of that name.
class LoadedLibrary {
public:
    explicit LoadedLibrary(const char* name) : handle_(dlopen(name, RTLD_NOW | RTLD_LOCAL)) {}
    ~LoadedLibrary() {
        if (handle_ != nullptr) {
            dlclose(handle_);
        }
    }
    LoadedLibrary(const LoadedLibrary&) = delete;
    LoadedLibrary& operator=(const LoadedLibrary&) = delete;

    /// Null where it, or the library, is absent.
    template <class Function>
    [[nodiscard]] Function* function(const char* name) const {
        return handle_ == nullptr ? nullptr : reinterpret_cast<Function*>(dlsym(handle_, name));
    }

private:
    void* handle_;
};

}   // namespace millstream
