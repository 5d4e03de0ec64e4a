-- Adds a ticket to a browser session, or nothing when the session has ended meanwhile.
--
-- KEYS[1]  what all keys of sessions begin with: see addSession-1.lua
-- ARGV[1]  digest of the ticket
-- ARGV[2]  digest of the session
-- ARGV[3]  method
-- ARGV[4]  target: path and query
-- ARGV[5]  endsAt, milliseconds since 1970
-- ARGV[6]  how long it is kept beyond its end when nobody sweeps, milliseconds
-- Answers  0 when there is such a ticket already, else 1.

local root = KEYS[1]
local digest, sessionDigest, endsAt = ARGV[1], ARGV[2], ARGV[5]

local session, ticket, tickets = root .. 's:' .. sessionDigest, root .. 't:' .. digest, root .. 'of:' .. sessionDigest
if redis.call('EXISTS', ticket) == 1 then return 0 end
local sessionGoneAt = redis.call('PEXPIRETIME', session)
if sessionGoneAt < 0 then return 1 end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', ticket, 'sessionDigest', sessionDigest, 'method', ARGV[3], 'target', ARGV[4], 'endsAt', endsAt)
redis.call('PEXPIREAT', ticket, string.format('%.0f', math.max(now, tonumber(endsAt)) + tonumber(ARGV[6])))
redis.call('ZADD', root .. 'tickets', endsAt, digest)
redis.call('SADD', tickets, digest)
redis.call('PEXPIREAT', tickets, string.format('%.0f', sessionGoneAt))
return 1
