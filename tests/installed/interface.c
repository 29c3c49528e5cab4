// SPDX-License-Identifier: MIT
//
// A C program that calls hotlane by its own interface, and looks a function of it up by name.
// Built and run by check_installed.py, once against a library whose names have no version.
#include <dlfcn.h>
#include <hotlane/hotlane.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", HOTLANE_VERSION_MAJOR, HOTLANE_VERSION_MINOR,
             HOTLANE_VERSION_PATCH);
    if (strcmp(hotlane_version(), version) != 0) {
        printf("version %s of hotlane is loaded\n", hotlane_version());
        return 1;
    }
    if (dlsym(RTLD_DEFAULT, "hotlane_version") != (void*)&hotlane_version ||
        dlvsym(RTLD_DEFAULT, "hotlane_version", "HOTLANE_0") != (void*)&hotlane_version) {
        puts("hotlane_version is not found by name");
        return 1;
    }
    void* p = hotlane_get(100);
    const int is_ours = p != NULL && hotlane_capacity(p) == 128;
    hotlane_put(p);
    puts(is_ours ? "all of malloc is hotlane's" : "hotlane_get did not serve");
    return !is_ours;
}
