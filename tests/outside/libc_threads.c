// SPDX-License-Identifier: MIT
// Threads that libc starts itself: timers, asynchronous input and output, message queues, name lookups. All
// of their callbacks allocate.
#include "outside.h"

#include <aio.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netdb.h>
#include <semaphore.h>
#include <time.h>

static sem_t called;
static volatile int kept = 1;

static void callback(union sigval value) {
    kept &= churn(500);
    free(value.sival_ptr);
    sem_post(&called);
}

static struct sigevent event(void) {
    struct sigevent event = {.sigev_notify = SIGEV_THREAD};
    event.sigev_notify_function = callback;
    event.sigev_value.sival_ptr = malloc(100);
    return event;
}

static void wait_for_callback(const char* what) {
    sem_wait(&called);
    SAY("%s: called, memory is fine: %d\n", what, kept);
}

static void use_timer(void) {
    timer_t timer;
    struct sigevent expired = event();
    timer_create(CLOCK_MONOTONIC, &expired, &timer);
    timer_settime(timer, 0, &(struct itimerspec){.it_value = {0, 1000000}}, NULL);
    wait_for_callback("timer");
    timer_delete(timer);
}

static void use_asynchronous_io(void) {
    int file = open("/proc/self/exe", O_RDONLY);
    char* buffer = (char*)malloc(4096);
    struct aiocb request = {
        .aio_fildes = file, .aio_buf = buffer, .aio_nbytes = 4096, .aio_sigevent = event()};
    SAY("aio_read: %d\n", aio_read(&request));
    wait_for_callback("aio");
    SAY("read: %zd, %d\n", aio_return(&request), memcmp(buffer, "\177ELF", 4));
    free(buffer);
    close(file);
}

static void use_message_queue(void) {
    char name[40];
    snprintf(name, sizeof name, "/outside-%d", (int)getpid());
    mqd_t queue = mq_open(name, O_RDWR | O_CREAT, 0600, NULL);
    if (queue == (mqd_t)-1) {
        return;  // not every kernel has message queues
    }
    mq_unlink(name);
    struct sigevent arrived = event();
    mq_notify(queue, &arrived);
    mq_send(queue, "hello", 5, 0);
    wait_for_callback("message");
    mq_close(queue);
}

static void look_names_up(void) {
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
    struct gaicb request = {.ar_name = "127.0.0.1", .ar_request = &hints};
    struct gaicb* requests[] = {&request};
    struct sigevent found = event();
    SAY("getaddrinfo_a: %d\n", getaddrinfo_a(GAI_NOWAIT, requests, 1, &found));
    wait_for_callback("name");
    SAY("found: %d\n", gai_error(&request));
    freeaddrinfo(request.ar_result);
}

int main(void) {
    sem_init(&called, 0, 0);
    for (int i = 0; i < 5; ++i) {
        use_timer();
        use_asynchronous_io();
        use_message_queue();
        look_names_up();
    }
    return 0;
}
