-- Takes a ticket away, for good, whoever asks first. Needs no memory.
--
-- KEYS[1]  what all keys of sessions begin with: see addSession-1.lua
-- ARGV[1]  digest of the ticket
-- Answers  sessionDigest, method, target, endsAt in milliseconds since 1970; all nil when there is none.

local root, digest = KEYS[1], ARGV[1]
local ticket = root .. 't:' .. digest
local fields = redis.call('HMGET', ticket, 'sessionDigest', 'method', 'target', 'endsAt')
if fields[1] then
  redis.call('DEL', ticket)
  redis.call('ZREM', root .. 'tickets', digest)
  redis.call('SREM', root .. 'of:' .. fields[1], digest)
end
return fields
