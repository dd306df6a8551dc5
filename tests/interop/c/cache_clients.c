/* Uses a store under `store:` and services with hiredis and libmemcached. Prints a line of JSON for each check:
 * {"check": name, "value": ...}. Arguments: NAME:PORT, of the runs at the end. */

#include <hiredis/hiredis.h>
#include <libmemcached/memcached.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *KEYS[] = {"a", "b", "c", "n", "t", "x", "bin", "long", "app", "ex", "nx", "tx1"};
#define KEY_COUNT (sizeof KEYS / sizeof *KEYS)
#define LONG_BYTES 131072

static unsigned char all_bytes[256];
static char long_text[LONG_BYTES];

/* Text as a string of JSON; it is UTF-8. */
static void print_text(const char *text, size_t size) {
    putchar('"');
    for (size_t at = 0; at < size; at++) {
        unsigned char byte = (unsigned char)text[at];
        if (byte == '"' || byte == '\\') {
            printf("\\%c", byte);
        } else if (byte < 0x20) {
            printf("\\u%04x", byte);
        } else {
            putchar(byte);
        }
    }
    putchar('"');
}

static void begin(const char *name) {
    printf("{\"check\":\"%s\",\"value\":", name);
}

static void end(void) {
    puts("}");
    fflush(stdout);
}

/* hiredis */

/* A reply in types of JSON; errors are text behind `error: `. */
static void print_reply(const redisReply *reply) {
    if (reply == NULL) {
        printf("\"no reply\"");
        return;
    }
    switch (reply->type) {
    case REDIS_REPLY_NIL:
        printf("null");
        break;
    case REDIS_REPLY_INTEGER:
        printf("%lld", reply->integer);
        break;
    case REDIS_REPLY_ARRAY:
        putchar('[');
        for (size_t at = 0; at < reply->elements; at++) {
            printf(at ? "," : "");
            print_reply(reply->element[at]);
        }
        putchar(']');
        break;
    default:
        print_text(reply->str, reply->len);
    }
}

static void ask(redisContext *redis, const char *name, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    redisReply *reply = redisvCommand(redis, format, arguments);
    va_end(arguments);
    begin(name);
    print_reply(reply);
    end();
    freeReplyObject(reply);
}

static redisContext *redis_client(int port) {
    redisContext *redis = redisConnectWithTimeout("127.0.0.1", port, (struct timeval){10, 0});
    if (redis == NULL || redis->err) {
        fprintf(stderr, "hiredis: %s\n", redis ? redis->errstr : "no memory");
        exit(1);
    }
    redisSetTimeout(redis, (struct timeval){10, 0});
    return redis;
}

static void redis_data(int port) {
    redisContext *redis = redis_client(port);
    ask(redis, "before the password", "GET store:a");
    ask(redis, "password", "AUTH %s", "open sesame");
    for (size_t at = 0; at < KEY_COUNT; at++) {
        freeReplyObject(redisCommand(redis, "DEL store:%s", KEYS[at]));
    }
    ask(redis, "ping", "PING");
    ask(redis, "ping with text", "PING %s", "a b");
    ask(redis, "set", "SET %s %s", "store:a", "1 Grüße 茶");
    ask(redis, "get", "GET store:a");
    ask(redis, "get nothing", "GET store:b");
    ask(redis, "set every byte", "SET store:bin %b", all_bytes, sizeof all_bytes);
    redisReply *reply = redisCommand(redis, "GET store:bin");
    begin("every byte");
    printf("%d", reply && reply->len == sizeof all_bytes && memcmp(reply->str, all_bytes, reply->len) == 0);
    end();
    freeReplyObject(reply);
    ask(redis, "set long", "SET store:long %b", long_text, sizeof long_text);
    reply = redisCommand(redis, "GET store:long");
    begin("long");
    printf("%d", reply && reply->len == sizeof long_text && memcmp(reply->str, long_text, reply->len) == 0);
    end();
    freeReplyObject(reply);
    ask(redis, "only new", "SET store:a 2 NX");
    ask(redis, "only new, for a time", "SET store:nx 2 NX EX 100");
    ask(redis, "only old", "SET store:b 2 XX");
    ask(redis, "set and get", "SET store:nx 3 GET");
    ask(redis, "mget", "MGET store:a store:b store:nx");
    ask(redis, "append", "APPEND store:app Hello");
    ask(redis, "exists", "EXISTS store:a store:b store:a");
    ask(redis, "del", "DEL store:a store:b store:nx");
    ask(redis, "incr", "INCRBY store:n 42");
    ask(redis, "decr", "DECR store:n");
    ask(redis, "set text", "SET store:t text");
    ask(redis, "of a text", "INCR store:t");
    ask(redis, "expire", "EXPIRE store:n 100");
    ask(redis, "persist", "PERSIST store:n");
    ask(redis, "ttl", "TTL store:n");
    ask(redis, "ttl of nothing", "TTL store:b");
    ask(redis, "lower case", "get store:n");
    ask(redis, "unknown command", "NOSUCH a");
    ask(redis, "too few arguments", "GET");
    ask(redis, "no transaction", "EXEC");
    ask(redis, "multi", "MULTI");
    ask(redis, "queued", "INCR store:tx1");
    ask(redis, "queued too", "GET store:b");
    ask(redis, "exec", "EXEC");

    int in_order = 1;
    for (int number = 0; number < 100; number++) {
        redisAppendCommand(redis, "SET store:x %d", number);
        redisAppendCommand(redis, "GET store:x");
    }
    for (int number = 0; number < 100; number++) {
        void *found = NULL;
        redisGetReply(redis, &found);
        freeReplyObject(found);
        found = NULL;
        redisGetReply(redis, &found);
        reply = found;
        in_order = in_order && reply && reply->type == REDIS_REPLY_STRING && atoi(reply->str) == number;
        freeReplyObject(found);
    }
    begin("pipeline");
    printf("%d", in_order);
    end();
    redisFree(redis);
}

static void redis_calls(int port) {
    redisContext *redis = redis_client(port);
    ask(redis, "find", "demo.Catalog.find 1");
    ask(redis, "overload", "demo.Catalog.find %s", "Wandleuchte „Grün“ 🌿");
    ask(redis, "general form", "CALL demo.Catalog find 1");
    ask(redis, "list", "demo.Catalog.search lamp 1 %s", "[\"office\"]");
    ask(redis, "count", "demo.Catalog.count");
    ask(redis, "struct", "demo.Types.echo_struct %s", "{\"name\": \"茶\"}");
    ask(redis, "truth", "demo.Types.echo_bool true");
    ask(redis, "float", "demo.Types.echo_f64 0.1");
    ask(redis, "text", "demo.Types.echo_string %b", "Grüße \r\n\0", sizeof "Grüße \r\n\0" - 1);
    ask(redis, "nothing", "demo.Types.echo_nothing");
    ask(redis, "fault", "demo.Catalog.find -5");
    ask(redis, "no such method", "demo.Catalog.nothing");
    ask(redis, "bad argument", "demo.Catalog.remove x");
    redisFree(redis);
}

/* libmemcached */

static memcached_st *memcached_client(int port) {
    memcached_st *client = memcached_create(NULL);
    memcached_server_add(client, "127.0.0.1", (in_port_t)port);
    memcached_behavior_set(client, MEMCACHED_BEHAVIOR_SUPPORT_CAS, 1);
    return client;
}

static void said(memcached_st *client, const char *name, memcached_return_t code) {
    begin(name);
    const char *text = memcached_strerror(client, code);
    print_text(text, strlen(text));
    end();
}

static memcached_return_t store(memcached_st *client, const char *key, const char *value, time_t seconds, uint32_t flags) {
    return memcached_set(client, key, strlen(key), value, strlen(value), seconds, flags);
}

static void get(memcached_st *client, const char *name, const char *key) {
    size_t size = 0;
    uint32_t flags = 0;
    memcached_return_t code = MEMCACHED_SUCCESS;
    char *value = memcached_get(client, key, strlen(key), &size, &flags, &code);
    if (code != MEMCACHED_SUCCESS) {
        said(client, name, code);
        return;
    }
    begin(name);
    putchar('[');
    print_text(value ? value : "", size);
    printf(",%u]", flags);
    end();
    free(value);
}

static int is_same(memcached_st *client, const char *key, const void *expected, size_t expected_size) {
    size_t size = 0;
    uint32_t flags = 0;
    memcached_return_t code = MEMCACHED_SUCCESS;
    char *value = memcached_get(client, key, strlen(key), &size, &flags, &code);
    int same = value != NULL && size == expected_size && memcmp(value, expected, size) == 0;
    free(value);
    return same;
}

static uint64_t stamp_of(memcached_st *client, const char *key) {
    size_t size = strlen(key);
    memcached_return_t code = memcached_mget(client, &key, &size, 1);
    uint64_t stamp = 0;
    memcached_result_st *result;
    while (code == MEMCACHED_SUCCESS && (result = memcached_fetch_result(client, NULL, &code)) != NULL) {
        stamp = memcached_result_cas(result);
        memcached_result_free(result);
    }
    return stamp;
}

#define VERB(name, verb, key, value) said(client, name, verb(client, key, strlen(key), value, strlen(value), 0, 0))

static void memcached_data(int port) {
    memcached_st *client = memcached_client(port);
    for (size_t at = 0; at < KEY_COUNT; at++) {
        char key[32];
        memcached_delete(client, key, (size_t)snprintf(key, sizeof key, "store:%s", KEYS[at]), 0);
    }
    said(client, "version", memcached_version(client));
    said(client, "set", store(client, "store:a", "1 Grüße 茶", 0, 77));
    get(client, "get", "store:a");
    get(client, "get nothing", "store:b");
    said(client, "set every byte",
         memcached_set(client, "store:bin", 9, (const char *)all_bytes, sizeof all_bytes, 0, 0));
    begin("every byte");
    printf("%d", is_same(client, "store:bin", all_bytes, sizeof all_bytes));
    end();
    said(client, "set long", memcached_set(client, "store:long", 10, long_text, sizeof long_text, 0, 0));
    begin("long");
    printf("%d", is_same(client, "store:long", long_text, sizeof long_text));
    end();
    VERB("add: is there", memcached_add, "store:a", "2");
    VERB("add: is not", memcached_add, "store:nx", "3");
    VERB("replace: is not", memcached_replace, "store:b", "2");
    VERB("replace: is there", memcached_replace, "store:nx", "4");
    VERB("append", memcached_append, "store:nx", "5");
    VERB("prepend", memcached_prepend, "store:nx", "3");
    get(client, "both", "store:nx");
    said(client, "set for cas", store(client, "store:c", "1", 0, 0));
    uint64_t stamp = stamp_of(client, "store:c");
    said(client, "cas", memcached_cas(client, "store:c", 7, "2", 1, 0, 0, stamp));
    said(client, "cas too late", memcached_cas(client, "store:c", 7, "3", 1, 0, 0, stamp));
    get(client, "after both", "store:c");
    const char *many[] = {"store:a", "store:b", "store:nx"};
    const size_t sizes[] = {7, 7, 8};
    memcached_return_t code = memcached_mget(client, many, sizes, 3);
    begin("many");
    putchar('{');
    memcached_result_st *result;
    for (int count = 0; (result = memcached_fetch_result(client, NULL, &code)) != NULL; count++) {
        printf(count ? "," : "");
        print_text(memcached_result_key_value(result), memcached_result_key_length(result));
        putchar(':');
        print_text(memcached_result_value(result), memcached_result_length(result));
        memcached_result_free(result);
    }
    putchar('}');
    end();
    uint64_t number = 0;
    said(client, "set number", store(client, "store:n", "10", 0, 0));
    said(client, "incr", memcached_increment(client, "store:n", 7, 32, &number));
    begin("incremented");
    printf("%lu", (unsigned long)number);
    end();
    said(client, "decr", memcached_decrement(client, "store:n", 7, 100, &number));
    begin("decremented");
    printf("%lu", (unsigned long)number);
    end();
    said(client, "incr nothing", memcached_increment(client, "store:b", 7, 1, &number));
    said(client, "touch", memcached_touch(client, "store:n", 7, 100));
    said(client, "touch nothing", memcached_touch(client, "store:b", 7, 100));
    said(client, "exist", memcached_exist(client, "store:n", 7));
    said(client, "exist not", memcached_exist(client, "store:b", 7));
    said(client, "for a time", store(client, "store:ex", "1", 100, 0));
    said(client, "delete", memcached_delete(client, "store:ex", 8, 0));
    said(client, "delete nothing", memcached_delete(client, "store:ex", 8, 0));
    memcached_stat_st *statistics = memcached_stat(client, NULL, &code);
    said(client, "statistics", code);
    memcached_stat_free(client, statistics);
    memcached_behavior_set(client, MEMCACHED_BEHAVIOR_NOREPLY, 1);
    for (int at = 0; at < 50; at++) {
        char text[8];
        snprintf(text, sizeof text, "%d", at);
        store(client, "store:x", text, 0, 0);
    }
    memcached_behavior_set(client, MEMCACHED_BEHAVIOR_NOREPLY, 0);
    get(client, "no reply", "store:x");
    memcached_free(client);
}

static void memcached_calls(int port) {
    memcached_st *client = memcached_client(port);
    const char *keys[] = {"demo.Catalog.find(1)", "demo.Catalog.count()", "demo.Types.echo_string(\"%e8%8c%b6\")"};
    const char *names[] = {"find", "count", "text"};
    for (size_t at = 0; at < 3; at++) {
        size_t size = 0;
        uint32_t flags = 0;
        memcached_return_t code = MEMCACHED_SUCCESS;
        char *value = memcached_get(client, keys[at], strlen(keys[at]), &size, &flags, &code);
        if (value == NULL) {
            said(client, names[at], code);
            continue;
        }
        begin(names[at]);
        if (at == 0) {
            fwrite(value, 1, size, stdout); /* it is JSON */
        } else {
            print_text(value, size);
        }
        end();
        free(value);
    }
    memcached_free(client);
}

static const struct {
    const char *name;
    void (*run)(int port);
} RUNS[] = {
    {"hiredis:data", redis_data},
    {"hiredis:calls", redis_calls},
    {"libmemcached:data", memcached_data},
    {"libmemcached:calls", memcached_calls},
};

int main(int count, char **arguments) {
    for (int at = 0; at < 256; at++) {
        all_bytes[at] = (unsigned char)at;
    }
    for (size_t at = 0; at < sizeof long_text; at++) {
        long_text[at] = "0123456789abcdef"[at % 16];
    }
    for (int at = 1; at < count; at++) {
        char *port = strrchr(arguments[at], ':');
        *port++ = 0;
        printf("{\"run\":\"%s\"}\n", arguments[at]);
        for (size_t each = 0; each < sizeof RUNS / sizeof *RUNS; each++) {
            if (strcmp(RUNS[each].name, arguments[at]) == 0) {
                RUNS[each].run(atoi(port));
            }
        }
    }
    return 0;
}
