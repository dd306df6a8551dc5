// Short connections: connect, send a frame, half-close, read until the end, close; again and again on many threads.
//
//   short_load HOST PORT THREADS SECONDS FILE [ALIKE [CALLS [PAUSE]]]
//
// FILE holds requests, each behind its length (u32, big-endian); they are taken in turn. A call is good when its answer
// is longer than nothing and begins with the ALIKE bytes (4 at most, and by default) its request begins with. A connection
// carries CALLS (1 by default); with more, each answer must come in one segment. PAUSE microseconds (none by default) lie
// between connecting and sending. Prints one line of JSON.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST_SAMPLES = 1 << 20 };

struct frame {
    const unsigned char *data;
    size_t size;
};

static struct sockaddr_in server;
static size_t alike = 4;
static int calls_each = 1;
static useconds_t pause_us = 0;
static struct frame *frames;
static size_t frame_count;
static atomic_size_t next_frame;
static atomic_bool stopped;

struct worker {
    pthread_t thread;
    size_t good, bad, samples;
    float *took_us;
};

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

// Gives whether the call was answered.
static int call(const struct frame *frame) {
    unsigned char answer[1 << 16];
    size_t got = 0;
    int sock = socket(AF_INET, SOCK_STREAM, 0), one = 1, good = 0;
    if (sock < 0) return 0;
    struct timeval limit = {.tv_sec = 10};
    setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    int connected = connect(sock, (struct sockaddr *)&server, sizeof server) == 0;
    if (connected && pause_us) usleep(pause_us);
    for (int left = calls_each; connected && left > 1; left--) {
        connected = send(sock, frame->data, frame->size, MSG_NOSIGNAL) == (ssize_t)frame->size &&
                    recv(sock, answer, sizeof answer, 0) > (ssize_t)alike && memcmp(answer, frame->data, alike) == 0;
    }
    if (connected && send(sock, frame->data, frame->size, MSG_NOSIGNAL) == (ssize_t)frame->size &&
        shutdown(sock, SHUT_WR) == 0) {
        unsigned char head[4] = {0};
        for (;;) {
            ssize_t size = recv(sock, answer, sizeof answer, 0);
            if (size < 0 && errno == EINTR) continue;
            if (size <= 0) {
                good = size == 0 && got > 0 && memcmp(head, frame->data, alike) == 0;
                break;
            }
            for (ssize_t at = 0; at < size && got + (size_t)at < 4; at++) head[got + (size_t)at] = answer[at];
            got += (size_t)size;
        }
    }
    close(sock);
    return good;
}

static void *work(void *given) {
    struct worker *worker = given;
    while (!atomic_load(&stopped)) {
        const struct frame *frame = &frames[atomic_fetch_add(&next_frame, 1) % frame_count];
        double began = now();
        int good = call(frame);
        // What ends after the time is up belongs to nobody.
        if (atomic_load(&stopped)) break;
        if (!good) {
            worker->bad++;
            continue;
        }
        worker->good++;
        if (worker->samples < MOST_SAMPLES) worker->took_us[worker->samples++] = (float)((now() - began) * 1e6);
    }
    return NULL;
}

static int ascending(const void *left, const void *right) {
    float a = *(const float *)left, b = *(const float *)right;
    return (a > b) - (a < b);
}

static void read_frames(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(2);
    }
    size_t room = 0;
    uint32_t size;
    while (fread(&size, 4, 1, file) == 1) {
        size = ntohl(size);
        unsigned char *data = malloc(size);
        if (data == NULL || fread(data, 1, size, file) != size) {
            fprintf(stderr, "%s: cut off\n", path);
            exit(2);
        }
        if (frame_count == room) {
            room = room ? room * 2 : 64;
            frames = realloc(frames, room * sizeof *frames);
        }
        frames[frame_count++] = (struct frame){data, size};
    }
    fclose(file);
}

int main(int count, char **texts) {
    if (count < 6 || count > 9) {
        fprintf(stderr, "usage: short_load HOST PORT THREADS SECONDS FILE [ALIKE [CALLS [PAUSE]]]\n");
        return 2;
    }
    if (count > 6) alike = (size_t)atoi(texts[6]);
    if (count > 7) calls_each = atoi(texts[7]);
    if (count > 8) pause_us = (useconds_t)atoi(texts[8]);
    if (alike > 4 || calls_each < 1) return 2;
    server.sin_family = AF_INET;
    server.sin_port = htons((uint16_t)atoi(texts[2]));
    inet_pton(AF_INET, texts[1], &server.sin_addr);
    int threads = atoi(texts[3]);
    read_frames(texts[5]);
    struct worker *workers = calloc((size_t)threads, sizeof *workers);
    double began = now();
    for (int at = 0; at < threads; at++) {
        workers[at].took_us = malloc(MOST_SAMPLES * sizeof(float));
        pthread_create(&workers[at].thread, NULL, work, &workers[at]);
    }
    double seconds = atof(texts[4]);
    struct timespec pause = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&pause, NULL);
    double took = now() - began;
    atomic_store(&stopped, 1);
    size_t good = 0, bad = 0, samples = 0;
    for (int at = 0; at < threads; at++) {
        pthread_join(workers[at].thread, NULL);
        good += workers[at].good;
        bad += workers[at].bad;
        samples += workers[at].samples;
    }
    float *all = malloc((samples + 1) * sizeof(float));
    size_t filled = 0;
    for (int at = 0; at < threads; at++) {
        memcpy(all + filled, workers[at].took_us, workers[at].samples * sizeof(float));
        filled += workers[at].samples;
    }
    qsort(all, samples, sizeof(float), ascending);
    double p50 = samples ? all[samples / 2] : 0, p99 = samples ? all[samples * 99 / 100] : 0;
    printf("{\"good\": %zu, \"bad\": %zu, \"seconds\": %.6f, \"p50_us\": %.1f, \"p99_us\": %.1f}\n", good, bad, took, p50,
           p99);
    return 0;
}
