// SPDX-License-Identifier: MIT
//
// Runs a fuzz target over the files of directories, for builds without libFuzzer.
#include "input.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

int main(int argc, char** argv) {
    int files = 0;
    for (int i = 1; i < argc; ++i) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator{argv[i]}) {
            if (entry.is_regular_file()) {
                std::ifstream in{entry.path(), std::ios::binary};
                const std::vector<char> bytes{std::istreambuf_iterator<char>{in}, {}};
                LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
                ++files;
            }
        }
    }
    printf("%d files\n", files);
    return files == 0 ? 1 : 0;
}
