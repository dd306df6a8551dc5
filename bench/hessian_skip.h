/*
 * Finds where a Hessian 2 value ends without building it.
 *
 * Source: Hessian 2.0 Serialization Protocol, section "Bytecode map".
 */
#ifndef BENCH_HESSIAN_SKIP_H
#define BENCH_HESSIAN_SKIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { HESSIAN_CLASSES = 256, HESSIAN_DEPTH = 64 };

typedef struct {
    const uint8_t *at;
    const uint8_t *end;
    uint32_t fields[HESSIAN_CLASSES]; /* the field count of each class definition met so far */
    uint32_t classes;
} Hessian;

static inline bool hessian_bytes(Hessian *in, size_t count)
{
    if ((size_t)(in->end - in->at) < count)
        return false;
    in->at += count;
    return true;
}

/* The length of a string counts UTF-16 units, each written as one to three bytes. */
static inline bool hessian_units(Hessian *in, size_t units)
{
    while (units) {
        uint64_t eight;
        if (units >= 8 && in->end - in->at >= 8) {
            memcpy(&eight, in->at, 8);
            if (!(eight & 0x8080808080808080ull)) {
                in->at += 8;
                units -= 8;
                continue;
            }
        }
        if (in->at == in->end)
            return false;
        uint8_t lead = *in->at;
        if (!hessian_bytes(in, lead < 0x80 ? 1 : lead < 0xE0 ? 2 : 3))
            return false;
        units--;
    }
    return true;
}

static inline bool hessian_number(Hessian *in, int count, uint32_t *number)
{
    const uint8_t *from = in->at;
    if (!hessian_bytes(in, (size_t)count))
        return false;
    *number = 0;
    for (int i = 0; i < count; i++)
        *number = *number << 8 | from[i];
    return true;
}

static inline bool hessian_string(Hessian *in)
{
    for (;;) {
        uint32_t tag, units;
        if (!hessian_number(in, 1, &tag))
            return false;
        if (tag < 0x20)
            return hessian_units(in, tag);
        if (tag >= 0x30 && tag <= 0x33)
            return hessian_number(in, 1, &units) && hessian_units(in, (tag - 0x30) << 8 | units);
        if (tag != 'R' && tag != 'S')
            return false;
        if (!hessian_number(in, 2, &units) || !hessian_units(in, units))
            return false;
        if (tag == 'S')
            return true;
    }
}

static inline bool hessian_int(Hessian *in, uint32_t *number)
{
    uint32_t tag, low;
    if (!hessian_number(in, 1, &tag))
        return false;
    if (tag >= 0x80 && tag <= 0xBF) {
        *number = tag - 0x90;
        return true;
    }
    if (tag >= 0xC0 && tag <= 0xCF) {
        if (!hessian_number(in, 1, &low))
            return false;
        *number = ((tag - 0xC8) << 8) + low;
        return true;
    }
    if (tag >= 0xD0 && tag <= 0xD7) {
        if (!hessian_number(in, 2, &low))
            return false;
        *number = ((tag - 0xD4) << 16) + low;
        return true;
    }
    return tag == 'I' && hessian_number(in, 4, number);
}

static bool hessian_value(Hessian *in, int depth);

static inline bool hessian_values(Hessian *in, uint32_t count, int depth)
{
    for (uint32_t i = 0; i < count; i++)
        if (!hessian_value(in, depth))
            return false;
    return true;
}

/* Values up to the end marker of a map or of a list of unknown length. */
static inline bool hessian_until_end(Hessian *in, int depth)
{
    while (in->at < in->end && *in->at != 'Z')
        if (!hessian_value(in, depth))
            return false;
    return hessian_bytes(in, 1);
}

static inline bool hessian_type(Hessian *in)
{
    uint32_t index;
    bool named = in->at < in->end && (*in->at < 0x80) && *in->at != 'I';
    return named ? hessian_string(in) : hessian_int(in, &index);
}

static inline bool hessian_definition(Hessian *in)
{
    uint32_t count;
    if (in->classes == HESSIAN_CLASSES || !hessian_string(in) || !hessian_int(in, &count))
        return false;
    in->fields[in->classes++] = count;
    for (uint32_t i = 0; i < count; i++)
        if (!hessian_string(in))
            return false;
    return true;
}

/* Moves past one value; false when it is cut off, nested too deep, or no value. */
static bool hessian_value(Hessian *in, int depth)
{
    uint32_t count;
    if (depth == HESSIAN_DEPTH || in->at == in->end)
        return false;
    uint8_t tag = *in->at;
    if (tag < 0x20 || (tag >= 0x30 && tag <= 0x33) || tag == 'R' || tag == 'S')
        return hessian_string(in);
    if ((tag >= 0x80 && tag <= 0xD7) || tag == 'I')
        return hessian_int(in, &count);
    in->at++;
    if (tag >= 0xD8 && tag <= 0xEF) /* long of one byte */
        return true;
    if (tag >= 0xF0) /* long of two bytes */
        return hessian_bytes(in, 1);
    if (tag >= 0x60 && tag <= 0x6F) /* object of one of the first 16 classes */
        return tag - 0x60u < in->classes && hessian_values(in, in->fields[tag - 0x60], depth + 1);
    if (tag >= 0x70 && tag <= 0x77) /* short typed list */
        return hessian_type(in) && hessian_values(in, tag - 0x70u, depth + 1);
    if (tag >= 0x78 && tag <= 0x7F) /* short untyped list */
        return hessian_values(in, tag - 0x78u, depth + 1);
    if (tag >= 0x20 && tag <= 0x2F) /* short binary */
        return hessian_bytes(in, tag - 0x20u);
    if (tag >= 0x34 && tag <= 0x37)
        return hessian_number(in, 1, &count) && hessian_bytes(in, (tag - 0x34u) << 8 | count);
    if (tag >= 0x38 && tag <= 0x3F) /* long of three bytes */
        return hessian_bytes(in, 2);
    switch (tag) {
    case 'N': case 'T': case 'F': case 0x5B: case 0x5C: return true; /* null, booleans, 0.0, 1.0 */
    case 0x5D: return hessian_bytes(in, 1);                          /* doubles */
    case 0x5E: return hessian_bytes(in, 2);
    case 0x5F: case 0x59: case 0x4B: return hessian_bytes(in, 4);    /* double, long, date in minutes */
    case 'D': case 'L': case 0x4A: return hessian_bytes(in, 8);      /* double, long, date */
    case 0x51: return hessian_int(in, &count);                       /* back-reference */
    case 'A': case 'B':                                              /* binary chunk, another follows after 'A' */
        return hessian_number(in, 2, &count) && hessian_bytes(in, count) && (tag == 'B' || hessian_value(in, depth));
    case 'V': return hessian_type(in) && hessian_int(in, &count) && hessian_values(in, count, depth + 1);
    case 0x58: return hessian_int(in, &count) && hessian_values(in, count, depth + 1);
    case 'C': return hessian_definition(in) && hessian_value(in, depth);
    case 'O': return hessian_int(in, &count) && count < in->classes && hessian_values(in, in->fields[count], depth + 1);
    case 'H': case 0x57: return hessian_until_end(in, depth + 1);
    case 'M': case 'U': return hessian_type(in) && hessian_until_end(in, depth + 1);
    default: return false;
    }
}

#endif
