/*
 * The load generator: sends one request again and again over many connections, each time under an id of its own,
 * and measures the replies.
 *
 * Closed loop (default): every connection keeps `--outstanding` requests under way; a reply releases the next one.
 * Open loop (`--rate`): requests are due at fixed instants whatever the server does, and latency counts from the
 * instant a request was due, so that a stalled server cannot hide the requests it kept from being sent.
 *
 * A run has three phases: warm-up, measurement, drain. In the drain nothing new is sent and every open request must
 * be answered; without it the work one run leaves behind would be charged to the next.
 *
 * Frames:
 *   dubbo  replies have a 16-byte header (flags at 2, status at 3, id at 4, body length at 12) and any body length.
 *   raw    a reply is as long as the request and carries its id at the same place: what an echo does.
 *   thrift replies have their length in four bytes in front, the kind of message at 7, the id, of four bytes, where the
 *          request has it, and a result whose first field is its value: the framed strict binary encoding.
 *   http   a reply has a head with a Content-Length; replies come in the order of the requests, which carry no id.
 *   exact  every reply is the same bytes, in the order of the requests, which carry no id: text protocols.
 *
 * The CPU time of the server is read here, at the same two instants as everything else, from the per-process CPU
 * clock: it counts all threads, also those that ended, in nanoseconds.
 *
 * One JSON object on standard output. Exit status: 0 measured, 1 wrong usage, 2 the run broke off (reason on stderr).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "latency.h"
#include "loadgen_options.h"

enum {
    READ_BYTES = 256 << 10,
    PARTS = 384, /* iovecs of one writev: three for each request */
    EVENTS = 256,
    TICK_MS = 5, /* how late a silent run may notice the end of a phase */
    DRAIN_SECONDS = 20,

    HTTP_HEAD_MOST = 4096,
    HTTP_OK = 200,

    DUBBO_HEADER = 16,
    DUBBO_REQUEST = 0x80,
    DUBBO_EVENT = 0x20,
    DUBBO_OK = 20,
    /* The result flag is the first byte of the body, a one-byte Hessian int: 0x90 + n. */
    RESULT_EXCEPTION = 0x90,
    RESULT_EXCEPTION_WITH_ATTACHMENTS = 0x93,

    THRIFT_LENGTH = 4,
    THRIFT_KIND = 7,
    THRIFT_REPLY = 2,
    THRIFT_FIELD = 3, /* type and id of a field; id 0 is the value that is returned */
};

static const uint64_t SECOND = 1000000000ull;

typedef struct {
    uint64_t id; /* 0: free */
    uint64_t since_ns;
    uint8_t wire_id[ID_BYTES];
} Slot;

typedef struct {
    int fd;
    bool wants_write;
    Slot *slots;
    uint32_t *free_slots; /* a stack */
    uint32_t free_count;
    uint32_t *queue; /* a ring of slots whose requests are not written yet */
    uint32_t queue_head;
    uint32_t queue_count;
    size_t written;                   /* bytes of the request at the head of the queue that are out already */
    uint32_t *asked; /* a ring: slots in the order of their requests, for replies without an id */
    uint32_t asked_head;
    uint32_t asked_count;
    uint8_t head[HTTP_HEAD_MOST]; /* what is kept of the reply being read: its header, and for dubbo one byte more */
    size_t head_bytes;
    uint64_t skip; /* bytes of the reply being read that nobody looks at */
} Connection;

typedef enum { WARM_UP, MEASURE, DRAIN } Phase;

static struct {
    uint64_t replies; /* good ones in the measurement: an error is quick to send and no work done */
    uint64_t error_status; /* replies with a status other than OK */
    unsigned first_status; /* the first such status */
    char first_error[201]; /* how the body of the first reply of these two kinds begins, as far as it is text */
    size_t first_error_bytes;
    uint64_t faults;       /* replies that carry an exception */
    uint64_t stray;        /* replies to an id that is not under way */
    uint64_t lost;         /* requests without a reply at the end of the drain */
    Latency latency;
} results;

static Connection *connections;
static int epoll;
static Phase phase = WARM_UP;
static uint64_t serial;
static uint64_t open_requests;
static uint64_t schedule_start_ns;
static uint64_t scheduled; /* open loop: requests sent so far */
static uint32_t next_connection;
static const Connection *first_failed; /* the connection on which the first error is being read */

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec time;
    if (clock_gettime(clock, &time))
        stop(2, "cannot read a clock (did the server end?): %s", strerror(errno));
    return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

static uint64_t server_cpu_ns(void)
{
    uint64_t total = 0;
    for (int i = 0; i < options.server_count; i++) {
        clockid_t clock;
        int error = clock_getcpuclockid(options.servers[i], &clock);
        if (error)
            stop(2, "no CPU clock of process %d: %s", (int)options.servers[i], strerror(error));
        total += clock_ns(clock);
    }
    return total;
}

static uint64_t read_number(const uint8_t *bytes, int count)
{
    uint64_t number = 0;
    for (int i = 0; i < count; i++)
        number = number << 8 | bytes[i];
    return number;
}

static void watch_writes(Connection *connection, bool wanted)
{
    if (connection->wants_write == wanted)
        return;
    struct epoll_event event = {.events = EPOLLIN | (wanted ? EPOLLOUT : 0), .data.ptr = connection};
    epoll_ctl(epoll, EPOLL_CTL_MOD, connection->fd, &event);
    connection->wants_write = wanted;
}

/* Puts a request into a free slot and into the queue; `since_ns` is where its latency starts. */
static void enqueue(Connection *connection, uint64_t since_ns)
{
    uint32_t number = connection->free_slots[--connection->free_count];
    Slot *slot = &connection->slots[number];
    slot->id = ++serial << SLOT_BITS | number;
    slot->since_ns = since_ns;
    for (int i = 0; i < ID_BYTES; i++)
        slot->wire_id[i] = (uint8_t)(slot->id >> (56 - 8 * i));
    connection->queue[(connection->queue_head + connection->queue_count++) % options.outstanding] = number;
    if (in_order())
        connection->asked[(connection->asked_head + connection->asked_count++) % options.outstanding] = number;
    open_requests++;
}

/* Adds `bytes` to the parts of a writev, less what `*skip` says was written before. */
static int add_part(struct iovec *parts, int count, uint8_t *start, size_t bytes, size_t *skip)
{
    size_t left_out = *skip < bytes ? *skip : bytes;
    *skip -= left_out;
    if (left_out == bytes)
        return count;
    parts[count] = (struct iovec){start + left_out, bytes - left_out};
    return count + 1;
}

/* Writes queued requests: the shared text around each one's own id, so that nothing is copied. */
static void flush_queue(Connection *connection)
{
    struct iovec parts[PARTS];
    size_t after_id = options.id_offset + options.id_bytes;
    while (connection->queue_count) {
        int count = 0;
        size_t skip = connection->written;
        for (uint32_t i = 0; i < connection->queue_count && count + 3 <= PARTS; i++) {
            if (in_order()) {
                count = add_part(parts, count, options.request, options.request_bytes, &skip);
                continue;
            }
            Slot *slot = &connection->slots[connection->queue[(connection->queue_head + i) % options.outstanding]];
            count = add_part(parts, count, options.request, options.id_offset, &skip);
            count = add_part(parts, count, slot->wire_id + ID_BYTES - options.id_bytes, options.id_bytes, &skip);
            count = add_part(parts, count, options.request + after_id, options.request_bytes - after_id, &skip);
        }
        ssize_t written = writev(connection->fd, parts, count);
        if (written < 0) {
            if (errno == EAGAIN)
                break;
            stop(2, "write: %s", strerror(errno));
        }
        connection->written += (size_t)written;
        while (connection->queue_count && connection->written >= options.request_bytes) {
            connection->written -= options.request_bytes;
            connection->queue_head = (connection->queue_head + 1) % options.outstanding;
            connection->queue_count--;
        }
    }
    watch_writes(connection, connection->queue_count > 0);
}

static uint64_t due_ns(uint64_t number)
{
    return schedule_start_ns + (uint64_t)((double)number * (double)SECOND / options.rate);
}

/* Open loop: sends what is due. A request that finds every slot taken is sent later, but is as old as it is due. */
static void send_due(uint64_t now)
{
    while (phase != DRAIN && due_ns(scheduled) <= now) {
        uint32_t tried = 0;
        while (connections[next_connection].free_count == 0) {
            if (++tried == options.connections)
                return;
            next_connection = (next_connection + 1) % options.connections;
        }
        enqueue(&connections[next_connection], due_ns(scheduled));
        flush_queue(&connections[next_connection]);
        next_connection = (next_connection + 1) % options.connections;
        scheduled++;
    }
}

static void take_reply(Connection *connection, uint64_t id, bool good, uint64_t now)
{
    uint64_t number = id & (MAX_OUTSTANDING - 1);
    if (id == 0 || number >= options.outstanding || connection->slots[number].id != id) {
        results.stray++;
        return;
    }
    Slot *slot = &connection->slots[number];
    slot->id = 0;
    connection->free_slots[connection->free_count++] = (uint32_t)number;
    open_requests--;
    if (phase == MEASURE && good) {
        results.replies++;
        latency_record(&results.latency, now > slot->since_ns ? now - slot->since_ns : 0);
    }
    if (phase != DRAIN && options.rate == 0)
        enqueue(connection, now);
}

/* The head of a dubbo frame is complete: 16 bytes, and the first of the body if there is one. */
static void take_dubbo_head(Connection *connection, uint64_t body_bytes, uint64_t now)
{
    const uint8_t *head = connection->head;
    uint8_t flag = body_bytes > 0 ? head[DUBBO_HEADER] : RESULT_EXCEPTION;
    bool refused = head[3] != DUBBO_OK;
    bool fault = !refused && (flag == RESULT_EXCEPTION || flag == RESULT_EXCEPTION_WITH_ATTACHMENTS);
    if (head[2] & (DUBBO_REQUEST | DUBBO_EVENT))
        return; /* a heartbeat or read-only event of the server: no answer to anything we asked */
    if ((refused || fault) && results.error_status + results.faults == 0)
        first_failed = connection;
    if (refused && results.error_status == 0)
        results.first_status = head[3];
    results.error_status += refused;
    results.faults += fault;
    take_reply(connection, read_number(head + 4, ID_BYTES), !refused && !fault, now);
}

/* The whole id of the request under way on a connection of which the wire carries the low part; 0 when there is none. */
static uint64_t complete_id(const Connection *connection, uint32_t low)
{
    uint32_t number = low & (MAX_OUTSTANDING - 1);
    if (number >= options.outstanding)
        return 0;
    uint64_t id = connection->slots[number].id;
    return (uint32_t)id == low ? id : 0;
}

/* Takes bytes of a thrift reply up to the head of its first field; gives how many. Then the rest is left to be skipped. */
static size_t take_thrift_head(Connection *connection, const uint8_t *bytes, size_t count, uint64_t now)
{
    uint8_t *head = connection->head;
    size_t have = connection->head_bytes, taken = 0;
    size_t after_id = options.id_offset + THRIFT_ID_BYTES;
    uint64_t whole = 0;
    size_t wanted = THRIFT_LENGTH;
    while (count) {
        if (have >= THRIFT_LENGTH) {
            whole = THRIFT_LENGTH + read_number(head, THRIFT_LENGTH);
            if (whole <= after_id)
                stop(2, "a reply of %llu bytes has no room for its id", (unsigned long long)whole);
            wanted = after_id + THRIFT_FIELD < whole ? after_id + THRIFT_FIELD : whole;
        }
        if (have == wanted)
            break;
        size_t step = wanted - have < count ? wanted - have : count;
        memcpy(head + have, bytes + taken, step);
        have += step;
        taken += step;
        count -= step;
    }
    connection->head_bytes = have;
    if (have < THRIFT_LENGTH || have < wanted || whole == 0)
        return taken;
    if (read_number(head + THRIFT_LENGTH, 2) != 0x8001)
        stop(2, "the reply does not start with version 1 of the binary protocol");
    connection->head_bytes = 0;
    connection->skip = whole - wanted;
    bool returned = wanted == after_id + THRIFT_FIELD && read_number(head + after_id + 1, 2) == 0;
    bool fault = head[THRIFT_KIND] != THRIFT_REPLY || !returned;
    if (fault && results.error_status + results.faults == 0)
        first_failed = connection;
    results.faults += fault;
    take_reply(connection, complete_id(connection, (uint32_t)read_number(head + options.id_offset, THRIFT_ID_BYTES)), !fault, now);
    return taken;
}

/* Takes the id of the request that is answered next where replies come in order; 0 when nothing was asked. */
static uint64_t take_oldest_id(Connection *connection)
{
    if (!connection->asked_count)
        return 0;
    uint32_t number = connection->asked[connection->asked_head];
    connection->asked_head = (connection->asked_head + 1) % options.outstanding;
    connection->asked_count--;
    return connection->slots[number].id;
}

/* Takes bytes of an HTTP reply up to the end of its head; gives how many. Then the body is left to be skipped. */
static size_t take_http_head(Connection *connection, const uint8_t *bytes, size_t count, uint64_t now)
{
    char *head = (char *)connection->head;
    size_t before = connection->head_bytes;
    size_t step = HTTP_HEAD_MOST - 1 - before < count ? HTTP_HEAD_MOST - 1 - before : count;
    memcpy(head + before, bytes, step);
    head[before + step] = 0;
    const char *end = strstr(head + (before > 3 ? before - 3 : 0), "\r\n\r\n");
    if (!end) {
        if (before + step == HTTP_HEAD_MOST - 1)
            stop(2, "the head of a reply is longer than %d bytes", HTTP_HEAD_MOST);
        connection->head_bytes += step;
        return step;
    }
    size_t head_bytes = (size_t)(end - head) + 4;
    connection->head_bytes = 0;
    head[head_bytes] = 0;
    unsigned status;
    if (sscanf(head, "HTTP/1.1 %3u", &status) != 1)
        stop(2, "the reply does not start with an HTTP/1.1 status line");
    const char *length = strcasestr(head, "\r\ncontent-length:");
    if (!length)
        stop(2, "a reply has no Content-Length");
    connection->skip = strtoull(length + 17, NULL, 10);
    bool refused = status != HTTP_OK;
    if (refused && results.error_status == 0) {
        first_failed = connection;
        results.first_status = status;
    }
    results.error_status += refused;
    take_reply(connection, take_oldest_id(connection), !refused, now);
    return head_bytes - before;
}

static void keep_error_text(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count && results.first_error_bytes < sizeof results.first_error - 1; i++) {
        bool plain = bytes[i] >= ' ' && bytes[i] < 0x7F && bytes[i] != '"' && bytes[i] != '\\';
        results.first_error[results.first_error_bytes++] = plain ? (char)bytes[i] : ' ';
    }
}

/* Takes bytes of a reply that must be the one expected; gives how many. */
static size_t take_exact(Connection *connection, const uint8_t *bytes, size_t count, uint64_t now)
{
    size_t left = options.reply_bytes - connection->head_bytes;
    size_t step = left < count ? left : count;
    if (memcmp(bytes, options.reply + connection->head_bytes, step))
        stop(2, "a reply is not the one expected: it has '%.*s'", step > 80 ? 80 : (int)step, (const char *)bytes);
    connection->head_bytes += step;
    if (step == left) {
        connection->head_bytes = 0;
        take_reply(connection, take_oldest_id(connection), true, now);
    }
    return step;
}

/* Feeds received bytes to the reader of a connection: only the head of each reply is kept, the rest is counted. */
static void feed(Connection *connection, const uint8_t *bytes, size_t count, uint64_t now)
{
    size_t raw_head = options.id_offset + ID_BYTES;
    while (count) {
        if (connection->skip) {
            size_t step = connection->skip < count ? connection->skip : count;
            if (connection == first_failed)
                keep_error_text(bytes, step);
            connection->skip -= step;
            bytes += step;
            count -= step;
            continue;
        }
        if (connection == first_failed)
            first_failed = NULL;
        if (options.frames == FRAMES_HTTP) {
            size_t step = take_http_head(connection, bytes, count, now);
            bytes += step;
            count -= step;
            continue;
        }
        if (options.frames == FRAMES_EXACT) {
            size_t step = take_exact(connection, bytes, count, now);
            bytes += step;
            count -= step;
            continue;
        }
        if (options.frames == FRAMES_THRIFT) {
            size_t step = take_thrift_head(connection, bytes, count, now);
            bytes += step;
            count -= step;
            continue;
        }
        bool raw = options.frames == FRAMES_RAW;
        size_t have = connection->head_bytes;
        size_t wanted = raw ? raw_head : DUBBO_HEADER;
        uint64_t body = 0;
        if (!raw && have >= DUBBO_HEADER) {
            body = read_number(connection->head + 12, 4);
            wanted = DUBBO_HEADER + (body > 0);
        }
        size_t step = wanted - have < count ? wanted - have : count;
        memcpy(connection->head + have, bytes, step);
        connection->head_bytes += step;
        bytes += step;
        count -= step;
        if (connection->head_bytes < wanted)
            return;
        if (raw) {
            connection->skip = options.request_bytes - raw_head;
            connection->head_bytes = 0;
            take_reply(connection, read_number(connection->head + options.id_offset, ID_BYTES), true, now);
            continue;
        }
        if (connection->head[0] != 0xDA || connection->head[1] != 0xBB)
            stop(2, "the reply does not start with the dubbo magic number");
        body = read_number(connection->head + 12, 4);
        if (wanted == DUBBO_HEADER && body > 0)
            continue; /* one more byte: the result flag */
        connection->skip = body > 0 ? body - 1 : 0;
        connection->head_bytes = 0;
        take_dubbo_head(connection, body, now);
    }
}

static void receive(Connection *connection)
{
    static uint8_t buffer[READ_BYTES];
    ssize_t count = read(connection->fd, buffer, sizeof buffer);
    if (count == 0)
        stop(2, "the server closed a connection after %llu replies", (unsigned long long)results.replies);
    if (count < 0) {
        if (errno == EAGAIN)
            return;
        stop(2, "read: %s", strerror(errno));
    }
    feed(connection, buffer, (size_t)count, clock_ns(CLOCK_MONOTONIC));
}

static void open_connection(Connection *connection)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port)};
    if (inet_pton(AF_INET, options.host, &address.sin_addr) != 1)
        stop(1, "--host wants an IPv4 address, not %s", options.host);
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0 || connect(connection->fd, (struct sockaddr *)&address, sizeof address))
        stop(2, "connect to %s:%d: %s", options.host, options.port, strerror(errno));
    int on = 1;
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(connection->fd, F_SETFL, O_NONBLOCK);
    connection->slots = allocate(options.outstanding, sizeof *connection->slots);
    connection->queue = allocate(options.outstanding, sizeof *connection->queue);
    connection->asked = allocate(options.outstanding, sizeof *connection->asked);
    connection->free_slots = allocate(options.outstanding, sizeof *connection->free_slots);
    while (connection->free_count < options.outstanding) {
        connection->free_slots[connection->free_count] = connection->free_count;
        connection->free_count++;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    epoll_ctl(epoll, EPOLL_CTL_ADD, connection->fd, &event);
}

static void arm(int timer, uint64_t at_ns)
{
    struct itimerspec when = {.it_value = {(time_t)(at_ns / SECOND), (long)(at_ns % SECOND)}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static double own_cpu_s(void)
{
    return (double)clock_ns(CLOCK_PROCESS_CPUTIME_ID) / (double)SECOND;
}

static void run(void)
{
    epoll = epoll_create1(EPOLL_CLOEXEC);
    /* A timer file is exact where the timeout of epoll_wait has whole milliseconds. */
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct epoll_event timer_event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &timer_event);
    connections = allocate(options.connections, sizeof *connections);
    for (uint32_t i = 0; i < options.connections; i++)
        open_connection(&connections[i]);

    uint64_t now = clock_ns(CLOCK_MONOTONIC);
    uint64_t phase_end = now + (uint64_t)(options.warmup_s * (double)SECOND);
    uint64_t measured_from = 0, measured_to = 0, server_from = 0, server_to = 0;
    double own_from = 0, own_to = 0;
    schedule_start_ns = now;
    for (uint32_t i = 0; i < options.connections && options.rate == 0; i++) {
        while (connections[i].free_count)
            enqueue(&connections[i], now);
        flush_queue(&connections[i]);
    }

    for (;;) {
        if (options.rate > 0) {
            send_due(now);
            if (phase != DRAIN)
                arm(timer, due_ns(scheduled) > now ? due_ns(scheduled) : now + SECOND / 1000);
        }
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, TICK_MS);
        for (int i = 0; i < count; i++) {
            Connection *connection = events[i].data.ptr;
            if (!connection) {
                uint64_t expirations;
                if (read(timer, &expirations, sizeof expirations) < 0 && errno != EAGAIN)
                    stop(2, "timer: %s", strerror(errno));
                continue;
            }
            if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                receive(connection);
            if (connection->queue_count)
                flush_queue(connection);
            else
                watch_writes(connection, false);
        }
        now = clock_ns(CLOCK_MONOTONIC);
        if (phase == DRAIN && open_requests == 0)
            break;
        if (now < phase_end)
            continue;
        if (phase == WARM_UP) {
            phase = MEASURE;
            measured_from = now;
            own_from = own_cpu_s();
            server_from = server_cpu_ns();
            phase_end = now + (uint64_t)(options.seconds * (double)SECOND);
        } else if (phase == MEASURE) {
            bool too_few = results.replies < options.at_least;
            if (too_few && now < measured_from + (uint64_t)(options.at_most_s * (double)SECOND))
                continue;
            server_to = server_cpu_ns();
            own_to = own_cpu_s();
            measured_to = now;
            phase = DRAIN;
            phase_end = now + DRAIN_SECONDS * SECOND;
        } else {
            results.lost = open_requests;
            break;
        }
    }

    double elapsed = (double)(measured_to - measured_from) / (double)SECOND;
    printf("{\"rps\": %.1f, \"n\": %llu, \"elapsed_s\": %.6f, \"p50_us\": %.2f, \"p99_us\": %.2f, \"p999_us\": %.2f, "
           "\"max_us\": %.2f, \"error_status\": %llu, \"first_status\": %u, \"first_error\": \"%s\", \"faults\": %llu, \"stray\": %llu, \"lost\": %llu, "
           "\"client_cpu_s\": %.6f, \"server_cpu_s\": %.6f}\n",
           (double)results.replies / elapsed, (unsigned long long)results.replies, elapsed,
           latency_quantile_us(&results.latency, 0.5), latency_quantile_us(&results.latency, 0.99),
           latency_quantile_us(&results.latency, 0.999), (double)results.latency.max_ns / 1e3,
           (unsigned long long)results.error_status, results.first_status, results.first_error, (unsigned long long)results.faults,
           (unsigned long long)results.stray, (unsigned long long)results.lost, own_to - own_from,
           (double)(server_to - server_from) / (double)SECOND);
}

int main(int count, char **arguments)
{
    parse_options(count, arguments);
    run();
    return 0;
}
