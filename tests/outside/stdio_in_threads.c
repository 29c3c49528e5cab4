// SPDX-License-Identifier: MIT
// Threads open, write and close streams with buffers from malloc, and give them other buffers, while another
// thread flushes all streams. Some stay open at exit.
#include "outside.h"

static volatile int stop;

static void* flush_all(void* unused) {
    while (!stop) {
        fflush(NULL);
        usleep(50);
    }
    return unused;
}

static void* use_streams(void* good) {
    for (int i = 0; i < 200; ++i) {
        FILE* file = tmpfile();
        char* buffer = (char*)malloc(10000);
        if (!file || !buffer) {
            return NULL;
        }
        setvbuf(file, i % 2 ? buffer : NULL, _IOFBF, 10000);
        fprintf(file, "%0500d\n", i);
        rewind(file);
        int number = -1;
        *(int*)good += fscanf(file, "%d", &number) == 1 && number == i;
        char* line = NULL;
        size_t room = 0;
        rewind(file);
        *(int*)good += getdelim(&line, &room, '\n', file) == 501;
        free(line);
        fclose(file);
        free(buffer);
    }
    FILE* left_open = fopen("/dev/null", "w");
    fputs("never flushed by the program", left_open);
    return NULL;
}

int main(void) {
    pthread_t flusher, threads[4];
    int good[4] = {0};
    pthread_create(&flusher, NULL, flush_all, NULL);
    for (int i = 0; i < 4; ++i) {
        pthread_create(&threads[i], NULL, use_streams, &good[i]);
    }
    for (int i = 0; i < 4; ++i) {
        pthread_join(threads[i], NULL);
    }
    stop = 1;
    pthread_join(flusher, NULL);
    SAY("good: %d %d %d %d\n", good[0], good[1], good[2], good[3]);
    return 0;
}
