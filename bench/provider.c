/*
 * A dubbo:// provider in C that answers every call with its first argument. It stands behind the gateway when
 * forwarding is measured, so cheap that the gateway is what limits, and shows what the load generator can drive.
 *
 * It listens on a free port of 127.0.0.1, prints `LISTENING 127.0.0.1:<port>`, answers heartbeats, and ends when its
 * standard input does. A frame it cannot read ends the program: it is met by our own tools alone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hessian_skip.h"

enum {
    HEADER = 16,
    FLAG_REQUEST = 0x80,
    FLAG_TWO_WAY = 0x40,
    FLAG_EVENT = 0x20,
    SERIALIZATION = 0x1F,
    STATUS_OK = 20,
    VALUE_WITH_ATTACHMENTS = 0x94,
    STRINGS_BEFORE_ARGUMENTS = 5, /* dubbo version, path, version, method, descriptor */
    READ_BYTES = 256 << 10,
    MAX_FRAME = 64 << 20,
    EVENTS = 256,
};

/* The attachments of a reply as Java sends them: {dubbo: 2.0.2}. */
static const uint8_t ATTACHMENTS[] = "H\005dubbo\0052.0.2Z";
static const uint8_t NULL_BODY[] = "N";

typedef struct {
    uint8_t *bytes;
    size_t start, count, capacity;
} Buffer;

typedef struct {
    int fd;
    bool wants_write;
    Buffer in, out;
} Connection;

static void stop(const char *what)
{
    fprintf(stderr, "provider: %s\n", what);
    exit(2);
}

/* Room for `more` bytes behind the content; what was consumed in front of it is given up first. */
static uint8_t *reserve(Buffer *buffer, size_t more)
{
    if (buffer->start && buffer->start + buffer->count + more > buffer->capacity) {
        memmove(buffer->bytes, buffer->bytes + buffer->start, buffer->count);
        buffer->start = 0;
    }
    if (buffer->count + more > buffer->capacity) {
        buffer->capacity = (buffer->count + more) * 2;
        buffer->bytes = realloc(buffer->bytes, buffer->capacity);
        if (!buffer->bytes)
            stop("out of memory");
    }
    return buffer->bytes + buffer->start + buffer->count;
}

static void append(Buffer *buffer, const void *bytes, size_t count)
{
    memcpy(reserve(buffer, count), bytes, count);
    buffer->count += count;
}

static void consume(Buffer *buffer, size_t count)
{
    buffer->start += count;
    buffer->count -= count;
    if (!buffer->count)
        buffer->start = 0;
}

static void put_u32(uint8_t *bytes, size_t number)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(number >> (24 - 8 * i));
}

static void reply_header(Buffer *out, const uint8_t *request, uint8_t event, size_t body_bytes)
{
    uint8_t header[HEADER];
    memcpy(header, request, HEADER);
    header[2] = event | (request[2] & SERIALIZATION);
    header[3] = STATUS_OK;
    put_u32(header + 12, body_bytes);
    append(out, header, HEADER);
}

static void answer(Buffer *out, const uint8_t *frame, size_t body_bytes)
{
    if (!(frame[2] & FLAG_REQUEST) || !(frame[2] & FLAG_TWO_WAY))
        return;
    if (frame[2] & FLAG_EVENT) {
        reply_header(out, frame, FLAG_EVENT, 1);
        append(out, NULL_BODY, 1);
        return;
    }
    Hessian body = {.at = frame + HEADER, .end = frame + HEADER + body_bytes};
    for (int i = 0; i < STRINGS_BEFORE_ARGUMENTS; i++)
        if (!hessian_string(&body))
            stop("a request does not start with five strings");
    const uint8_t *argument = body.at;
    if (!hessian_value(&body, 0))
        stop("the argument of a request cannot be read");
    size_t argument_bytes = (size_t)(body.at - argument);
    uint8_t flag = VALUE_WITH_ATTACHMENTS;
    reply_header(out, frame, 0, 1 + argument_bytes + sizeof ATTACHMENTS - 1);
    append(out, &flag, 1);
    append(out, argument, argument_bytes);
    append(out, ATTACHMENTS, sizeof ATTACHMENTS - 1);
}

static void answer_frames(Connection *connection)
{
    Buffer *in = &connection->in;
    while (in->count >= HEADER) {
        const uint8_t *frame = in->bytes + in->start;
        if (frame[0] != 0xDA || frame[1] != 0xBB)
            stop("a frame does not start with the dubbo magic number");
        size_t body = (size_t)frame[12] << 24 | (size_t)frame[13] << 16 | (size_t)frame[14] << 8 | frame[15];
        if (body > MAX_FRAME)
            stop("a frame is too long");
        if (in->count < HEADER + body)
            return;
        answer(&connection->out, frame, body);
        consume(in, HEADER + body);
    }
}

static bool flush_replies(int epoll, Connection *connection)
{
    Buffer *out = &connection->out;
    while (out->count) {
        ssize_t written = write(connection->fd, out->bytes + out->start, out->count);
        if (written < 0 && errno == EAGAIN)
            break;
        if (written < 0)
            return false;
        consume(out, (size_t)written);
    }
    bool wanted = out->count > 0;
    if (wanted != connection->wants_write) {
        struct epoll_event event = {.events = EPOLLIN | (wanted ? EPOLLOUT : 0), .data.ptr = connection};
        epoll_ctl(epoll, EPOLL_CTL_MOD, connection->fd, &event);
        connection->wants_write = wanted;
    }
    return true;
}

/* Reads once and answers every frame that is complete; false when the peer has gone. */
static bool serve(int epoll, Connection *connection, uint32_t events)
{
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        ssize_t count = read(connection->fd, reserve(&connection->in, READ_BYTES), READ_BYTES);
        if (count == 0 || (count < 0 && errno != EAGAIN))
            return false;
        connection->in.count += count > 0 ? (size_t)count : 0;
        answer_frames(connection);
    }
    return flush_replies(epoll, connection);
}

static void accept_one(int epoll, int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    Connection *connection = calloc(1, sizeof *connection);
    if (!connection)
        stop("out of memory");
    connection->fd = fd;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void give_up(Connection *connection)
{
    close(connection->fd);
    free(connection->in.bytes);
    free(connection->out.bytes);
    free(connection);
}

static int listen_anywhere(void)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof address;
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, bytes) || listen(listener, 4096) ||
        getsockname(listener, (struct sockaddr *)&address, &bytes))
        stop("cannot listen on 127.0.0.1");
    printf("LISTENING 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

int main(void)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_anywhere();
    /* The two descriptors that are no connection are told apart by addresses of their own. */
    static char listening, standard_input;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &listening};
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    event.data.ptr = &standard_input;
    epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &event);
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            char ignored[64];
            if (events[i].data.ptr == &listening)
                accept_one(epoll, listener);
            else if (events[i].data.ptr == &standard_input) {
                if (read(STDIN_FILENO, ignored, sizeof ignored) <= 0)
                    return 0;
            } else if (!serve(epoll, events[i].data.ptr, events[i].events))
                give_up(events[i].data.ptr);
        }
    }
}
