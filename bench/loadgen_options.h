/*
 * The command line of the load generator, the options it fills, and how a run gives up.
 */
#ifndef BENCH_LOADGEN_OPTIONS_H
#define BENCH_LOADGEN_OPTIONS_H

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

enum {
    ID_BYTES = 8,
    THRIFT_ID_BYTES = 4,
    ID_OFFSET_MOST = 64,
    SLOT_BITS = 16,     /* the low bits of an id name the slot of its connection, the others are a serial number */
    MAX_OUTSTANDING = 1 << SLOT_BITS,
    MAX_SERVERS = 64,
    MAX_REQUEST = 64 << 20,
};

static struct {
    const char *host;
    int port;
    enum { FRAMES_DUBBO, FRAMES_RAW, FRAMES_HTTP, FRAMES_THRIFT, FRAMES_EXACT } frames;
    size_t id_offset;
    size_t id_bytes; /* on the wire: the low ones of the id */
    uint32_t connections;
    uint32_t outstanding;
    double warmup_s;
    double seconds;
    double at_most_s;
    uint64_t at_least;
    double rate;
    pid_t servers[MAX_SERVERS];
    int server_count;
    uint8_t *request;
    size_t request_bytes;
    uint8_t *reply; /* exact: what every reply must be */
    size_t reply_bytes;
} options = {
    .host = "127.0.0.1", .id_offset = 4, .id_bytes = ID_BYTES, .connections = 1, .outstanding = 1, .warmup_s = 0.2, .seconds = 1,
};

static __attribute__((noreturn, format(printf, 2, 3))) void stop(int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("loadgen: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(status);
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (!memory)
        stop(2, "out of memory");
    return memory;
}

static const char USAGE[] =
    "usage: loadgen --port PORT --request FILE [option ...]\n"
    "  --host ADDRESS       IPv4 address of the server (127.0.0.1)\n"
    "  --frames dubbo|raw|http|thrift|exact  how replies are framed (dubbo)\n"
    "  --reply FILE         exact: the reply that every request must get\n"
    "  --id-offset BYTES    where the big-endian id of 8 bytes, for thrift of 4, lies in the request (4); in raw and\n"
    "                       thrift replies too; not for http and exact\n"
    "  --connections N      (1)\n"
    "  --outstanding N      requests under way on each connection (1); with --rate the most that may be\n"
    "  --rate N             open loop: requests a second over all connections\n"
    "  --warmup SECONDS     (0.2)\n"
    "  --seconds SECONDS    length of the measurement (1)\n"
    "  --at-least N         go on for that many replies ...\n"
    "  --at-most SECONDS    ... but not for longer than this\n"
    "  --server PID         process whose CPU time is measured; may be given again\n";

static double parse_number(const char *option, const char *text, double least, double most)
{
    char *end;
    double number = strtod(text, &end);
    if (end == text || *end || !(number >= least && number <= most))
        stop(1, "--%s wants a number from %g to %g, not '%s'", option, least, most, text);
    return number;
}

static uint8_t *load(const char *path, size_t *count)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        stop(1, "%s: %s", path, strerror(errno));
    uint8_t *bytes = allocate(MAX_REQUEST, 1);
    *count = fread(bytes, 1, MAX_REQUEST, file);
    if (ferror(file) || !feof(file))
        stop(1, "%s: cannot be read, or is longer than %d bytes", path, MAX_REQUEST - 1);
    fclose(file);
    return bytes;
}

/* Whether replies carry no id and come in the order of their requests. */
static bool in_order(void)
{
    return options.frames == FRAMES_HTTP || options.frames == FRAMES_EXACT;
}

static void parse_options(int count, char **arguments)
{
    static const struct option known[] = {
        {"host", 1, 0, 'h'},        {"port", 1, 0, 'p'},    {"request", 1, 0, 'f'},  {"frames", 1, 0, 'm'},
        {"id-offset", 1, 0, 'o'},   {"rate", 1, 0, 'R'},    {"warmup", 1, 0, 'w'},   {"connections", 1, 0, 'c'},
        {"outstanding", 1, 0, 'P'}, {"seconds", 1, 0, 'd'}, {"at-least", 1, 0, 'n'}, {"at-most", 1, 0, 'x'},
        {"server", 1, 0, 's'},      {"reply", 1, 0, 'r'},    {0, 0, 0, 0},
    };
    const char *path = NULL, *reply = NULL;
    int option, at = 0;
    while ((option = getopt_long(count, arguments, "", known, &at)) != -1) {
        const char *name = option == '?' ? "" : known[at].name;
        switch (option) {
        case 'h': options.host = optarg; break;
        case 'p': options.port = (int)parse_number(name, optarg, 1, 65535); break;
        case 'f': path = optarg; break;
        case 'r': reply = optarg; break;
        case 'o': options.id_offset = (size_t)parse_number(name, optarg, 0, ID_OFFSET_MOST); break;
        case 'c': options.connections = (uint32_t)parse_number(name, optarg, 1, 100000); break;
        case 'P': options.outstanding = (uint32_t)parse_number(name, optarg, 1, MAX_OUTSTANDING); break;
        case 'R': options.rate = parse_number(name, optarg, 0.1, 1e7); break;
        case 'w': options.warmup_s = parse_number(name, optarg, 0, 600); break;
        case 'd': options.seconds = parse_number(name, optarg, 0.01, 600); break;
        case 'n': options.at_least = (uint64_t)parse_number(name, optarg, 0, 1e12); break;
        case 'x': options.at_most_s = parse_number(name, optarg, 0, 600); break;
        case 'm':
            if (!strcmp(optarg, "raw"))
                options.frames = FRAMES_RAW;
            else if (!strcmp(optarg, "http"))
                options.frames = FRAMES_HTTP;
            else if (!strcmp(optarg, "thrift")) {
                options.frames = FRAMES_THRIFT;
                options.id_bytes = THRIFT_ID_BYTES;
            } else if (!strcmp(optarg, "exact"))
                options.frames = FRAMES_EXACT;
            else if (strcmp(optarg, "dubbo"))
                stop(1, "--frames wants dubbo, raw, http, thrift or exact, not '%s'", optarg);
            break;
        case 's':
            if (options.server_count == MAX_SERVERS)
                stop(1, "at most %d times --server", MAX_SERVERS);
            options.servers[options.server_count++] = (pid_t)parse_number(name, optarg, 1, INT32_MAX);
            break;
        default: fputs(USAGE, stderr); exit(1);
        }
    }
    if (optind != count || !path || !options.port || !reply != (options.frames != FRAMES_EXACT)) {
        fputs(USAGE, stderr);
        exit(1);
    }
    options.request = load(path, &options.request_bytes);
    if (reply)
        options.reply = load(reply, &options.reply_bytes);
    if (reply && !options.reply_bytes)
        stop(1, "a reply has at least one byte");
    if (!in_order() && options.request_bytes < options.id_offset + options.id_bytes)
        stop(1, "the request has no room for an id at offset %zu", options.id_offset);
}

#endif
