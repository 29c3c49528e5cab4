// SPDX-License-Identifier: MIT
// mallopt, mallinfo2, malloc_info, malloc_trim and malloc_stats: their return values, and that malloc_info
// writes a document in which every element is closed.
#include "outside.h"

#include <malloc.h>

// Checks that each opening tag has its closing tag. Returns the number of elements, or -1.
static int well_formed(const char* text) {
    char open[32][64];
    int depth = 0, elements = 0;
    for (const char* tag = strchr(text, '<'); tag; tag = strchr(tag + 1, '<')) {
        const size_t length = strcspn(tag + 1, " />\n");
        const char* end = strchr(tag, '>');
        if (tag[1] == '?' || tag[1] == '!') {
            continue;
        }
        if (!end || length >= 64) {
            return -1;
        }
        if (tag[1] == '/') {
            const size_t name = strcspn(tag + 2, ">");
            if (depth-- == 0 || strncmp(open[depth], tag + 2, name) != 0) {
                return -1;
            }
        } else if (end[-1] != '/') {
            if (depth == 32) {
                return -1;
            }
            snprintf(open[depth++], 64, "%.*s", (int)length, tag + 1);
            ++elements;
        }
    }
    return depth == 0 ? elements : -1;
}

int main(void) {
    SAY("mallopt: %d %d %d %d\n", mallopt(M_ARENA_MAX, 2), mallopt(M_TRIM_THRESHOLD, 1 << 20),
        mallopt(M_MMAP_THRESHOLD, 1 << 20), mallopt(M_TOP_PAD, 4096));
    void* held = malloc(1000);
    char* text = NULL;
    size_t length = 0;
    FILE* stream = open_memstream(&text, &length);
    SAY("malloc_info: %d, of unknown options: %d\n", malloc_info(0, stream), malloc_info(1, stream) != 0);
    fclose(stream);
    SAY("a document: %d, named malloc: %d\n", well_formed(text) > 0, strstr(text, "<malloc") != NULL);
    free(text);
    const struct mallinfo2 info = mallinfo2();
    SAY("in use: %d\n", info.uordblks + info.hblkhd >= 1000);
    free(held);
    const int trimmed = malloc_trim(0);
    SAY("trim: %d\n", trimmed == 0 || trimmed == 1);
    SAY("usable size of null: %zu\n", malloc_usable_size(NULL));
    SAY("memory is fine: %d\n", churn(1000));
    return 0;
}
