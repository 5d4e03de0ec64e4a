-- Reads browser sessions. Writes nothing, so that it works on a Redis without memory too.
--
-- KEYS[1]  what all keys of sessions begin with: see addSession-1.lua
-- ARGV[1]  how they are found: digest, person or newest
-- ARGV[2]  the digest; the person; or how many at most
-- Answers  a list of sessions, each: digest, id, personId, providerDigest (or nil), endsAt, lastSeenAt, sealed.
--          By newest: the newest use first, then the smaller id. By person: in any order.

local root, by, value = KEYS[1], ARGV[1], ARGV[2]

local digests = {}
if by == 'digest' then
  digests = { value }
elseif by == 'person' then
  digests = redis.call('SMEMBERS', root .. 'person:' .. value)
elseif tonumber(value) > 0 then
  for _, id in ipairs(redis.call('ZRANGE', root .. 'seen', 0, value - 1)) do
    local digest = redis.call('GET', root .. 'id:' .. id)
    if digest then table.insert(digests, digest) end
  end
end

local found = {}
for _, digest in ipairs(digests) do
  local fields = redis.call('HMGET', root .. 's:' .. digest, 'id', 'personId', 'providerDigest', 'endsAt', 'lastSeenAt', 'sealed')
  -- An index may outlive its session, when nobody swept for long.
  if fields[1] then
    table.insert(fields, 1, digest)
    table.insert(found, fields)
  end
end
return found
