-- Ends browser sessions, with their tickets, in one step: whoever asks next finds none of them. Needs no memory.
--
-- KEYS[1]  what all keys of sessions begin with: see addSession-1.lua
-- ARGV[1]  which: digest, id, person, provider, or over (ended, or not seen for long)
-- ARGV[2]  the digest, id, person or provider; over: ended before this, milliseconds since 1970
-- ARGV[3]  over only: not seen since this, milliseconds since 1970
-- ARGV[4]  over only: how many at most of each kind; tickets that ended go too
-- Answers  1 when there may be more (over only), else 0; then the digests of what ended.

local root, which, value = KEYS[1], ARGV[1], ARGV[2]
local ended = { 0 }

local function forgetTicket(ticket)
  local session = redis.call('HGET', root .. 't:' .. ticket, 'sessionDigest')
  if session then redis.call('SREM', root .. 'of:' .. session, ticket) end
  redis.call('DEL', root .. 't:' .. ticket)
  redis.call('ZREM', root .. 'tickets', ticket)
end

local function forgetId(id)
  redis.call('ZREM', root .. 'ends', id)
  redis.call('ZREM', root .. 'seen', id)
  redis.call('DEL', root .. 'id:' .. id)
end

local function forget(digest)
  local session, tickets = root .. 's:' .. digest, root .. 'of:' .. digest
  local fields = redis.call('HMGET', session, 'id', 'personId', 'providerDigest')
  for _, ticket in ipairs(redis.call('SMEMBERS', tickets)) do forgetTicket(ticket) end
  redis.call('DEL', session, tickets)
  if not fields[1] then return end
  forgetId(fields[1])
  redis.call('SREM', root .. 'person:' .. fields[2], digest)
  if fields[3] then redis.call('SREM', root .. 'provider:' .. fields[3], digest) end
  table.insert(ended, digest)
end

local function forgetById(id)
  local digest = redis.call('GET', root .. 'id:' .. id)
  if digest then forget(digest) end
  -- The session may be gone by its expiry alone.
  forgetId(id)
end

if which == 'digest' then
  forget(value)
elseif which == 'id' then
  forgetById(value)
elseif which == 'over' then
  local most = tonumber(ARGV[4])
  local function every(key, above, below, act)
    local found = redis.call('ZRANGE', root .. key, above, below, 'BYSCORE', 'LIMIT', 0, most)
    for _, member in ipairs(found) do act(member) end
    if #found == most then ended[1] = 1 end
  end
  every('ends', '-inf', '(' .. value, forgetById)
  every('seen', '(-' .. ARGV[3], '+inf', forgetById)
  every('tickets', '-inf', '(' .. value, forgetTicket)
else
  local index = root .. which .. ':' .. value
  for _, digest in ipairs(redis.call('SMEMBERS', index)) do forget(digest) end
  redis.call('DEL', index)
end
return ended
