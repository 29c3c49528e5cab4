// SPDX-License-Identifier: MIT
// Functions of libc that return memory to be freed, or free memory that they were given.
#include "outside.h"

#include <argz.h>
#include <dirent.h>
#include <envz.h>
#include <execinfo.h>
#include <glob.h>
#include <iconv.h>
#include <libgen.h>
#include <locale.h>
#include <malloc.h>
#include <netdb.h>
#include <obstack.h>
#include <pwd.h>
#include <regex.h>
#include <search.h>
#include <wchar.h>
#include <wordexp.h>

#define obstack_chunk_alloc malloc
#define obstack_chunk_free free

static void say_and_free(const char* what, char* word) {
    SAY("%s: %s, room: %d\n", what, word, malloc_usable_size(word) > strlen(word));
    free(word);
}

static void words(void) {
    char* word = NULL;
    say_and_free("strdup", strdup("duplicate"));
    say_and_free("strndup", strndup("duplicate", 3));
    SAY("asprintf: %d\n", asprintf(&word, "%0200d and %s", 1, "more"));
    say_and_free("asprintf", word);
    wchar_t* wide = wcsdup(L"wide");
    SAY("wcsdup: %zu\n", wcslen(wide));
    free(wide);
    if (sscanf("scanned words", "%ms", &word) == 1) {
        say_and_free("sscanf", word);
    }
    say_and_free("realpath", realpath("/usr/../usr/./", NULL));
    char* directory = getcwd(NULL, 0);
    SAY("getcwd: %d\n", directory && directory[0] == '/');
    free(directory);
}

static void streams(void) {
    char* text = NULL;
    size_t size = 0;
    FILE* stream = open_memstream(&text, &size);
    for (int i = 0; i < 5000; ++i) {
        fprintf(stream, "line %d\n", i);
    }
    fclose(stream);
    FILE* read = fmemopen(text, size, "r");
    char* line = NULL;
    size_t room = 0, lines = 0, bytes = 0;
    for (ssize_t length; (length = getline(&line, &room, read)) > 0; bytes += (size_t)length) {
        ++lines;
    }
    SAY("getline: %zu lines, %zu bytes of %zu\n", lines, bytes, size);
    fclose(read);
    free(line);
    free(text);
}

static int by_value(const void* a, const void* b) { return *(const int*)a - *(const int*)b; }
static int by_name(const void* a, const void* b) { return strcmp((const char*)a, (const char*)b); }

static void tables(void) {
    enum { kMany = 300000 };
    int* numbers = (int*)malloc(kMany * sizeof *numbers);
    for (int i = 0; i < kMany; ++i) {
        numbers[i] = (int)((unsigned)i * 2654435761U >> 8);
    }
    qsort(numbers, kMany, sizeof *numbers, by_value);
    int sorted = 1;
    for (int i = 1; i < kMany; ++i) {
        sorted &= numbers[i - 1] <= numbers[i];
    }
    free(numbers);
    void* tree = NULL;
    char name[20];
    hcreate(1000);
    for (int i = 0; i < 1000; ++i) {
        snprintf(name, sizeof name, "name %d", i % 700);
        char* key = strdup(name);
        if (*(char**)tsearch(key, &tree, by_name) != key) {
            free(key);
        }
        hsearch((ENTRY){strdup(name), NULL}, FIND);
    }
    tdestroy(tree, free);
    hdestroy();
    char* vector = NULL;
    size_t length = 0;
    argz_create_sep("one:two:three", ':', &vector, &length);
    envz_add(&vector, &length, "name", "value");
    SAY("sorted: %d, argz: %zu, envz: %s\n", sorted, argz_count(vector, length),
        envz_get(vector, length, "name"));
    free(vector);
    struct obstack stack;
    obstack_init(&stack);
    for (int i = 0; i < 10000; ++i) {
        obstack_int_grow(&stack, i);
    }
    SAY("obstack: %d\n", ((int*)obstack_finish(&stack))[9999]);
    obstack_free(&stack, NULL);
}

static void lookups(void) {
    glob_t found;
    SAY("glob: %d", glob("/et[c]", 0, NULL, &found));
    SAY(", %zu %s\n", found.gl_pathc, found.gl_pathv[0]);
    globfree(&found);
    wordexp_t expanded;
    SAY("wordexp: %d", wordexp("one ${HOME_NOT_SET:-two} \"three four\"", &expanded, WRDE_NOCMD));
    SAY(", %zu %s\n", expanded.we_wordc, expanded.we_wordv[2]);
    wordfree(&expanded);
    struct dirent** entries = NULL;
    const int count = scandir("/proc/self/fd", &entries, NULL, alphasort);
    for (int i = 0; i < count; ++i) {
        free(entries[i]);
    }
    free(entries);
    struct addrinfo *addresses = NULL, hints = {.ai_flags = AI_NUMERICHOST};
    SAY("scandir: %d, getaddrinfo: %d\n", count > 2, getaddrinfo("::1", "80", &hints, &addresses));
    freeaddrinfo(addresses);
    struct passwd* user = getpwnam("root");
    SAY("getpwnam: %s\n", user ? user->pw_dir : "none");
    regex_t expression;
    SAY("regcomp: %d", regcomp(&expression, "^(a|b)*c{2,50}[[:alpha:]]+$", REG_EXTENDED));
    SAY(", regexec: %d\n", regexec(&expression, "ababccxyz", 0, NULL, 0));
    regfree(&expression);
    iconv_t converter = iconv_open("UTF-16", "UTF-8");
    SAY("iconv_open: %d\n", converter != (iconv_t)-1 && iconv_close(converter) == 0);
    locale_t place = newlocale(LC_ALL_MASK, "C.UTF-8", (locale_t)0);
    SAY("setlocale: %d, newlocale: %d\n", setlocale(LC_ALL, "") != NULL, place != (locale_t)0);
    freelocale(place);
    void* frames[10];
    const int depth = backtrace(frames, 10);
    char** symbols = backtrace_symbols(frames, depth);
    SAY("backtrace: %d\n", depth > 1 && symbols && symbols[0][0]);
    free(symbols);
}

int main(void) {
    for (int round = 0; round < 2; ++round) {
        words();
        streams();
        tables();
        lookups();
    }
    return 0;
}
