-- Notes uses of browser sessions: the newest stays, and what is not there stays away.
--
-- KEYS[1]  what all keys of sessions begin with: see addSession-1.lua
-- ARGV     in pairs: digest, instant of the use in milliseconds since 1970
-- Answers  nothing.

local root = KEYS[1]
for i = 1, #ARGV, 2 do
  local session, seenAt = root .. 's:' .. ARGV[i], ARGV[i + 1]
  local fields = redis.call('HMGET', session, 'id', 'lastSeenAt')
  if fields[1] and tonumber(fields[2]) < tonumber(seenAt) then
    redis.call('HSET', session, 'lastSeenAt', seenAt)
    redis.call('ZADD', root .. 'seen', '-' .. seenAt, fields[1])
  end
end
