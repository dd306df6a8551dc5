"""The changes that the Redis store makes, each of them one script, so that nobody ever sees half of one.

For each reference there is a stream `calls` with the consumer group `gateways`, a hash `state` by entry of the stream
(attempts, last trouble, whether it is dead) and the sum `size` of the bodies; for all of them together a hash `ids` and
a set `references`. All keys carry the same hash tag, so that they lie on one node of a cluster.

When an entry is due is written as its idle time: every entry that waits is pending in the group, and claimed with
XAUTOCLAIM once it was idle for `far`. Postponing it by a time sets its idle time to so much less (XCLAIM … IDLE). That
is also what gives the calls of a gateway that died to the others. Dead entries stay in the stream but are not pending.
Needs Redis 6.2 (https://redis.io/docs/latest/commands/xautoclaim/).
"""

from __future__ import annotations

from typing import Final

__all__ = ["ADD", "BURY", "CLAIM", "DISCARD", "POSTPONE", "REVIVE"]

_COMMON: Final = """
local base, reference = KEYS[1], ARGV[1]
local calls, states = base .. ':calls:' .. reference, base .. ':state:' .. reference
local size = base .. ':size:' .. reference
local ids = base .. ':ids'
local function state_of(entry)
  local text = redis.call('HGET', states, entry)
  return text and cjson.decode(text)
end
local function keep(entry, state)
  redis.call('HSET', states, entry, cjson.encode(state))
end
local function idle(entry, ms, force)
  if force then
    redis.call('XCLAIM', calls, 'gateways', 'polyport', 0, entry, 'IDLE', ms, 'FORCE', 'JUSTID')
  else
    redis.call('XCLAIM', calls, 'gateways', 'polyport', 0, entry, 'IDLE', ms, 'JUSTID')
  end
end
local function forget(entry)
  local state = state_of(entry)
  redis.call('XACK', calls, 'gateways', entry)
  redis.call('XDEL', calls, entry)
  if not state then return 0 end
  redis.call('HDEL', states, entry)
  redis.call('HDEL', ids, state.id)
  redis.call('DECRBY', size, state.size)
  return 1
end
"""

ADD: Final = (
    _COMMON
    + """
local id, digest, body, created, expires, due, error, idle_ms, limit, max_bytes = unpack(ARGV, 2)
local known = redis.call('HGET', ids, id)
if known then
  return cjson.decode(known).digest == digest and 0 or -1
end
if redis.call('EXISTS', calls) == 0 then
  redis.call('XGROUP', 'CREATE', calls, 'gateways', '0', 'MKSTREAM')
  redis.call('SADD', base .. ':references', reference)
end
local entry = redis.call('XADD', calls, '*', 'id', id, 'created', created, 'expires', expires, 'body', body)
-- Pending from the start, or it would be due at once.
redis.call('XREADGROUP', 'GROUP', 'gateways', 'polyport', 'COUNT', 1, 'STREAMS', calls, '>')
idle(entry, idle_ms, true)
keep(entry, {id = id, digest = digest, size = #body, attempts = 0, due = due, error = error})
redis.call('HSET', ids, id, cjson.encode({entry = entry, reference = reference, digest = digest}))
local total, dropped = redis.call('INCRBY', size, #body), 0
while redis.call('XLEN', calls) > tonumber(limit) or tonumber(total) > tonumber(max_bytes) do
  local oldest = redis.call('XRANGE', calls, '-', '+', 'COUNT', 1)[1]
  forget(oldest[1])
  total = redis.call('GET', size)
  dropped = dropped + 1
end
return dropped
"""
)
"""Gives how many were dropped, -1 when another call has the id."""

CLAIM: Final = (
    _COMMON
    + """
local limit, far_ms, idle_ms, due, cursor = tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local found = {}
if redis.call('EXISTS', calls) == 0 then return {'0-0', found} end
for _ = 1, 50 do
  local claimed = redis.call('XAUTOCLAIM', calls, 'gateways', 'polyport', far_ms, cursor, 'COUNT', limit - #found,
    'JUSTID')
  cursor = claimed[1]
  for _, entry in ipairs(claimed[2]) do
    local state, fields = state_of(entry), redis.call('XRANGE', calls, entry, entry)[1]
    if state and fields then
      idle(entry, idle_ms, false)
      state.attempts = state.attempts + 1
      state.due = due
      keep(entry, state)
      found[#found + 1] = {entry, fields[2], cjson.encode(state)}
    else
      forget(entry)
    end
  end
  if cursor == '0-0' or #found >= limit then break end
end
return {cursor, found}
"""
)
"""Gives where to go on, and the claimed: entry, fields, state."""

POSTPONE: Final = (
    _COMMON
    + """
local entry, idle_ms, due, error = unpack(ARGV, 2)
local state = state_of(entry)
if not state then return 0 end
idle(entry, idle_ms, false)
state.due, state.error = due, error
keep(entry, state)
return 1
"""
)

BURY: Final = (
    _COMMON
    + """
local entry, error = unpack(ARGV, 2)
local state = state_of(entry)
if not state then return 0 end
redis.call('XACK', calls, 'gateways', entry)
state.dead, state.error = true, error
keep(entry, state)
return 1
"""
)

REVIVE: Final = (
    _COMMON
    + """
local entry, far_ms, due = unpack(ARGV, 2)
local state = state_of(entry)
if not state then return 0 end
idle(entry, far_ms, true)
state.dead, state.due = nil, due
keep(entry, state)
return 1
"""
)

DISCARD: Final = _COMMON + "return forget(ARGV[2])\n"
