-- The slots of a budget that several gateways share, engine `fair`: one ask, one step. The same arithmetic stands in
-- lane/shared-slots.ts, members.ts, shared-learning.ts, shares.ts and grant.ts; test/lane/shared-slots.test.ts holds the two together.
--
-- KEYS[1]  the budget: one string (MessagePack), without expiry. Fields are only ever added, and unknown ones are kept.
-- KEYS[2]  what was learnt of its limit: a text of the gateways'.
-- ARGV[1]  the ask: JSON, the fields of `BudgetAsk` in lane/budget-act.ts with their units; milliseconds throughout.
-- ARGV[2]  channel on which gateways hear of a pause or of another limit.
-- ARGV[3]  what comes before `,"epoch":…` in such news: JSON without its closing brace, `{"budget":"…"`.
-- Answers  JSON, the fields of `BudgetAnswer`: numbers with 17 digits, so that they are exact.
--
-- Time is Redis' own, counted from the making of the key, so that all gateways have one clock. Numbers for the pace are
-- handed in, not made here: those in the key hold for all, whatever release brought them.

local AGES = 16
local LEASE_MS = 2000
local VANISHED_SHARE_MS = 60000
local SEEN_KEPT_MAX = 128
local IDLE_KEPT_MS = 3600000
local AHEAD_MS_MAX = 1000
local SLOTS_PER_ROUND = 14
local SLOTS_PER_ROUND_MIN = 8
local QUIETEST_TIMES = 1.5
local FEW_APPS_MAX = 4
local ROUND_MS_MAX = 600
local ROUND_MS_MIN = 20
local URGENCIES = 8
local ORDINARY = 3
local LOOK_AGAIN_MS = 100
local GIVING_BACK_MS = 60
local GIVEN_BACK_SOON_MS = 5
local LONG_AGO = -1e15

local max, min, floor, ceil, abs = math.max, math.min, math.floor, math.ceil, math.abs
local insert, remove = table.insert, table.remove

local function timeMs()
  local time = redis.call('TIME')
  return time[1] * 1000 + time[2] / 1000
end

-- Calls over the horizon, in buckets: see lane/window-count.ts.

local function expire(window, now, horizonMs)
  local gone = 0
  while window.lasts[gone + 1] and window.lasts[gone + 1] + horizonMs <= now do
    gone = gone + 1
    window.total = window.total - window.counts[gone]
  end
  if gone == 0 then return end
  for _, list in ipairs({ window.opens, window.lasts, window.counts }) do
    local length = #list
    for i = 1, length do list[i] = list[i + gone] end
  end
end

local function add(window, at, bucketMs, calls)
  local opens, lasts, counts = window.opens, window.lasts, window.counts
  local i = #counts
  while i >= 1 and opens[i] > at do i = i - 1 end
  if i >= 1 and at - opens[i] < bucketMs then
    lasts[i] = max(at, lasts[i])
    counts[i] = counts[i] + calls
  else
    insert(opens, i + 1, at)
    insert(lasts, i + 1, at)
    insert(counts, i + 1, calls)
  end
  window.total = window.total + calls
end

local function takeBack(window, at)
  local opens, lasts, counts = window.opens, window.lasts, window.counts
  for i = #counts, 1, -1 do
    if opens[i] <= at then
      if lasts[i] >= at and counts[i] ~= 0 then
        counts[i] = counts[i] - 1
        window.total = window.total - 1
      end
      return
    end
  end
end

local function roomAt(window, callsMax, horizonMs)
  local over = window.total - callsMax
  local at = LONG_AGO
  local i = 1
  while over >= 0 and window.counts[i] do
    over = over - window.counts[i]
    at = window.lasts[i] + horizonMs
    i = i + 1
  end
  return at
end

-- The pace: see lane/ledger.ts.

local function paceAt(ledger, pace)
  if pace.burstCalls == 1 then return ledger.nextFreeAt end
  local burstAt = ledger.burstDueAt - (pace.burstCalls - 1) * pace.burstSpacingMs
  return min(burstAt, max(ledger.nextFreeAt, ledger.evenFromAt))
end

local function spend(ledger, pace, at)
  if pace.burstCalls > 1 then
    if at < ledger.nextFreeAt then ledger.evenFromAt = at + 2 * pace.horizonMs end
    ledger.burstDueAt = min(max(ledger.burstDueAt, at) + pace.burstSpacingMs, at + pace.burstDebtMsMax)
  end
  ledger.nextFreeAt = at + pace.spacingMs
end

local function pauseLedger(ledger, pace, untilAt)
  ledger.nextFreeAt = max(ledger.nextFreeAt, untilAt)
  ledger.burstDueAt = max(ledger.burstDueAt, untilAt + (pace.burstCalls - 1) * pace.burstSpacingMs)
end

local function retuneLedger(ledger, pace, now, pausedUntil)
  ledger.nextFreeAt = min(ledger.nextFreeAt, max(now, pausedUntil) + pace.spacingMs)
  ledger.burstDueAt = min(ledger.burstDueAt, now + pace.burstDebtMsMax)
  ledger.evenFromAt = min(ledger.evenFromAt, now + 2 * pace.horizonMs)
end

-- The steps: see lane/shared-slots.ts and lane/members.ts.

local function begin(time, ask)
  return {
    epoch = ask.newEpoch,
    origin = time,
    at = 0,
    tuning = ask.tuning,
    pace = ask.pace,
    ledger = { nextFreeAt = LONG_AGO, burstDueAt = LONG_AGO, evenFromAt = LONG_AGO },
    pausedUntil = LONG_AGO,
    startsAt = LONG_AGO,
    tunedAt = LONG_AGO,
    remembered = false,
    ghosts = 0,
    ghostCalls = 0,
    ghostsUntil = 0,
    turns = 0,
    tail = LONG_AGO,
    members = {},
    window = { opens = {}, lasts = {}, counts = {}, total = 0 },
    learner = '',
    seen = {},
    seenTo = 0,
    learntNo = 0,
    learntAt = 0,
  }
end

-- Fields that a release before did not know.
local function completed(state)
  state.learner = state.learner or ''
  state.tunedAt = state.tunedAt or LONG_AGO
  state.seen = state.seen or {}
  state.seenTo = state.seenTo or 0
  state.learntNo = state.learntNo or 0
  state.learntAt = state.learntAt or 0
  for _, member in ipairs(state.members) do
    member.leaseMs = member.leaseMs or LEASE_MS
    for _, app in ipairs(member.apps) do app[4] = app[4] or { ORDINARY, app[2] } end
  end
  return state
end

local function timeOf(state, time, ask)
  local origin, at = state.origin, state.at
  if time - origin < at then
    local now = ask.epoch == state.epoch and max(at, ask.sentAt) or at
    return time - now, now
  end
  local leftOut = ask.stepOrigin == origin and max(0, min(ask.stepMs, time - origin - at)) or 0
  return origin + leftOut, max(at, time - (origin + leftOut))
end

local function forgetVanished(state, now)
  local members = state.members
  for i = #members, 1, -1 do
    local kept = members[i].idle and IDLE_KEPT_MS or members[i].leaseMs + VANISHED_SHARE_MS
    if now - members[i].renewedAt > kept then remove(members, i) end
  end
  if state.ghosts > 0 and now >= state.ghostsUntil then
    state.ghosts = 0
    state.ghostCalls = 0
  end
end

local function release(state, released)
  for i = #released, 1, -1 do
    local at = released[i]
    takeBack(state.window, at)
    if at == state.tail then
      state.ledger.nextFreeAt = at
      local before = released[i - 1]
      if before and abs(before + state.pace.spacingMs - at) < 0.001 then
        state.tail = before
      else
        state.tail = LONG_AGO
      end
    end
  end
end

local function remember(state, now, memory)
  if not state.remembered then
    state.remembered = true
    local others = memory.gateways - 1
    if others > 0 then
      state.ghosts = others
      state.ghostCalls = max(0, state.tuning.calls - memory.calls)
      state.ghostsUntil = now + LEASE_MS + VANISHED_SHARE_MS
      state.startsAt = now + state.pace.horizonMs
    end
  elseif state.ghosts > 0 then
    state.ghostCalls = state.ghostCalls - state.ghostCalls / state.ghosts
    state.ghosts = state.ghosts - 1
    if state.ghosts == 0 then
      state.ghostCalls = 0
      state.startsAt = LONG_AGO
    end
  end
  if memory.pauseMs > 0 then
    state.pausedUntil = max(state.pausedUntil, now + memory.pauseMs)
    pauseLedger(state.ledger, state.pace, state.pausedUntil)
  end
end

local function renew(state, now, ask)
  local me
  for _, member in ipairs(state.members) do
    if member.id == ask.gateway then me = member end
  end
  local remembers = ask.epoch ~= '' and ask.epoch ~= state.epoch
  local isNew = not me
  if isNew then
    me = { id = ask.gateway, calls = 0, credit = 0, turns = state.turns }
    insert(state.members, me)
    if remembers then remember(state, now, ask.memory) end
  end
  local spent = isNew and remembers and ask.memory.spent or ask.spentAlone
  for i, calls in ipairs(spent) do
    if calls > 0 then add(state.window, now - ((i - 1) * state.pace.horizonMs) / AGES, state.pace.bucketMs, calls) end
  end
  me.run = ask.run
  me.renewedAt = now
  me.leaseMs = ask.leaseMs or LEASE_MS
  me.learns = ask.learning ~= nil
  me.idle = ask.stays == 'idle'
  me.apps = ask.apps
  me.fastestMs = ask.fastestMs
  me.slowestMs = ask.slowestMs
  return me
end

-- Who learns the limit: see lane/shared-learning.ts.

local function learnerOf(state, me, now)
  local chosen, toldTo = '', now
  for _, member in ipairs(state.members) do
    if member.learns and not member.idle and now - member.renewedAt <= member.leaseMs then
      if member ~= me and member.leaseMs <= LEASE_MS then toldTo = min(toldTo, member.renewedAt) end
      if chosen == '' or member.id == state.learner or (chosen ~= state.learner and member.id < chosen) then
        chosen = member.id
      end
    end
  end
  return chosen, toldTo
end

local function learn(state, me, now, learning)
  if not learning then return nil end
  local tells = learning.learnt ~= '' and state.learner == me.id
  if tells then
    redis.call('SET', KEYS[2], learning.learnt)
    state.learntNo = state.learntNo + 1
    state.learntAt = now
  end
  local learner, toldTo = learnerOf(state, me, now)
  state.learner = learner
  local isLearner = learner == me.id
  local seen = state.seen
  if isLearner then
    local left = max(0, state.seenTo - learning.heardTo)
    while #seen > left do remove(seen, 1) end
  end
  if learning.seen ~= '' then
    state.seenTo = state.seenTo + 1
    insert(seen, learning.seen)
    if #seen > SEEN_KEPT_MAX then remove(seen, 1) end
  end
  return {
    isLearner = isLearner,
    seen = isLearner and seen or {},
    toldTo = toldTo,
    learnt = not tells and learning.learntNo ~= state.learntNo and redis.call('GET', KEYS[2]) or '',
  }
end

local function scaleParts(state, by)
  state.ghostCalls = state.ghostCalls * by
  for _, member in ipairs(state.members) do member.calls = member.calls * by end
end

local function retune(state, now, ask)
  local old, new = state.tuning, ask.tuning
  local sameLimit = new.calls == old.calls and new.windowMs == old.windowMs and new.burst == old.burst
  if not ask.tune or (sameLimit and new.spreadMs == old.spreadMs) then return false end
  if not sameLimit and ask.learning and state.learner ~= ask.gateway then return false end
  scaleParts(state, new.calls / old.calls)
  state.tuning = new
  state.pace = ask.pace
  if not sameLimit then
    state.tunedAt = now
    state.tail = LONG_AGO
  end
  local lasts = state.window.lasts
  local held = sameLimit and lasts[#lasts] or LONG_AGO
  retuneLedger(state.ledger, ask.pace, now, max(state.pausedUntil, held))
  return not sameLimit
end

local function pause(state, now, ask)
  state.pausedUntil = min(state.pausedUntil, now + ask.pauseMsMax)
  if not (ask.pauseMs > 0) then return false end
  state.pausedUntil = max(state.pausedUntil, now + min(ask.pauseMs, ask.pauseMsMax))
  pauseLedger(state.ledger, state.pace, state.pausedUntil)
  return true
end

local function callsAlone(state, me)
  local promised = ceil(state.ghostCalls)
  for _, member in ipairs(state.members) do
    if member ~= me then promised = promised + member.calls end
  end
  local even = ceil(state.tuning.calls / (#state.members + state.ghosts))
  return max(0, floor(min(even, state.tuning.calls - promised) + 1e-9))
end

-- Handing out: see lane/shares.ts and lane/grant.ts.

local function waits(member, now)
  return #member.apps > 0 and now - member.renewedAt <= LEASE_MS
end

local function count(app, everywhere, order)
  local id, ready, weight, urgencies = app[1], app[2], app[3], app[4]
  local all = everywhere[id]
  if not all then
    all = { weight = 0, ready = 0, readyAt = {}, servedAt = {}, served = 0 }
    everywhere[id] = all
    insert(order, all)
  end
  all.weight = max(all.weight, weight)
  all.ready = all.ready + ready
  for i = 1, #urgencies, 2 do
    local urgency = urgencies[i]
    all.readyAt[urgency] = (all.readyAt[urgency] or 0) + urgencies[i + 1]
  end
end

local function slotsPerRound(order, waiting)
  if #order <= FEW_APPS_MAX then return SLOTS_PER_ROUND end
  local quietest = math.huge
  for _, app in ipairs(order) do quietest = min(quietest, app.ready) end
  return max(SLOTS_PER_ROUND_MIN, min(SLOTS_PER_ROUND, floor(QUIETEST_TIMES * quietest * #order / waiting)))
end

local function serve(app, slots)
  local left = slots
  for urgency = 0, URGENCIES - 1 do
    local ready = app.readyAt[urgency]
    if ready then
      local served = min(left, ready)
      app.servedAt[urgency] = served / ready
      app.served = app.served + served
      left = left - served
    end
  end
end

local function partHere(told, app)
  local urgencies, here = told[4], 0
  for i = 1, #urgencies, 2 do here = here + urgencies[i + 1] * app.servedAt[urgencies[i]] end
  return here / app.served
end

local function weigh(state)
  local everywhere, order, waiting, weights = {}, {}, 0, 0
  for _, member in ipairs(state.members) do
    if waits(member, state.at) then
      waiting = waiting + 1
      for _, app in ipairs(member.apps) do count(app, everywhere, order) end
    end
  end
  waiting = max(1, waiting)
  for _, app in ipairs(order) do weights = weights + app.weight end
  local round = min(slotsPerRound(order, waiting) * waiting, floor(ROUND_MS_MAX / state.pace.spacingMs))
  for _, app in ipairs(order) do serve(app, (max(waiting, round) * app.weight) / weights) end
  local parts = {}
  for i, member in ipairs(state.members) do
    parts[i] = 1
    if waits(member, state.at) then
      local own = 0
      for _, told in ipairs(member.apps) do
        local app = everywhere[told[1]]
        own = own + app.weight * partHere(told, app)
      end
      parts[i] = own / weights
    end
  end
  return { parts = parts, weights = weights, everywhere = everywhere, waiting = waiting, round = round }
end

local function sharesOf(state, me, shares)
  local part, parts, elsewhere = 1, {}, 0
  for i, member in ipairs(state.members) do
    if member == me then
      part = shares.parts[i]
      for k, told in ipairs(me.apps) do parts[k] = partHere(told, shares.everywhere[told[1]]) end
    elseif me and waits(member, state.at) then
      for _, app in ipairs(member.apps) do elsewhere = elsewhere + app[2] end
    end
  end
  return part, parts, elsewhere
end

local function reckon(state, me, shares)
  local function credit(i)
    local member = state.members[i]
    return min(1, member.credit + shares.parts[i] * (state.turns - member.turns))
  end
  local mine
  for i, member in ipairs(state.members) do
    if member == me then mine = i end
  end
  me.credit = credit(mine)
  me.turns = state.turns
  local best = me.credit
  for i, member in ipairs(state.members) do
    if member ~= me and waits(member, state.at) then best = max(best, credit(i)) end
  end
  return shares.parts[mine], me.credit - min(0, best)
end

local function paceNow(state, now)
  local pace, held = state.pace, state.ghostCalls
  for _, member in ipairs(state.members) do
    if not member.idle and now - member.renewedAt > member.leaseMs then held = held + member.calls end
  end
  if held <= 0 then return pace end
  local left = state.tuning.calls - held
  if left < 1 then return nil end
  local slower = state.tuning.calls / left
  return {
    spacingMs = pace.spacingMs * slower,
    burstCalls = pace.burstCalls,
    burstSpacingMs = pace.burstSpacingMs * slower,
    burstDebtMsMax = pace.burstDebtMsMax * slower,
    horizonMs = pace.horizonMs,
    horizonCallsMax = max(1, floor(pace.horizonCallsMax - held)),
    lateMsMax = pace.lateMsMax,
    bucketMs = pace.bucketMs,
  }
end

local function grant(state, me, shares, now, ask)
  local slots = {}
  local pace = paceNow(state, now)
  if not pace then return slots, now + ROUND_MS_MAX, state.pace.spacingMs end
  local spacingMs, ledger = pace.spacingMs, state.ledger
  local part, behind = reckon(state, me, shares)
  if not (ask.wants > 0) then return slots, now, spacingMs end
  if state.startsAt > now then return slots, min(state.startsAt, now + LOOK_AGAIN_MS), spacingMs end

  local waiting = shares.waiting
  local round = max(
    waiting,
    min(max(shares.round, (4 * ask.rttMs + ROUND_MS_MIN) / spacingMs), floor(ROUND_MS_MAX / spacingMs))
  )
  local from = now + max(0, ask.rttMs - pace.lateMsMax / 2)
  local untilAt = from + max(AHEAD_MS_MAX, (waiting + 1) * spacingMs)
  local function evenAt() return max(paceAt(ledger, pace), state.pausedUntil, from) end
  local function freeAt() return max(evenAt(), roomAt(state.window, pace.horizonCallsMax, pace.horizonMs)) end
  if now - state.tunedAt < GIVING_BACK_MS and freeAt() > evenAt() then return slots, now + GIVEN_BACK_SOON_MS, spacingMs end
  local most = floor(round * part + behind + 1e-9)
  if most < 1 and (behind >= 0 or freeAt() <= from) then most = 1 end
  most = min(most, ask.wants)

  local againAt = freeAt()
  while #slots < most do
    local at = freeAt()
    if at > untilAt then
      againAt = at - AHEAD_MS_MAX / 2
      break
    end
    spend(ledger, pace, at)
    add(state.window, at, pace.bucketMs, 1)
    state.tail = at
    insert(slots, at)
  end
  state.turns = state.turns + #slots
  me.credit = me.credit - #slots
  return slots, againAt, spacingMs
end

local function seenSpread(members)
  local fastest, slowest = nil, -1
  for _, member in ipairs(members) do
    if member.fastestMs >= 0 then
      fastest = min(fastest or member.fastestMs, member.fastestMs)
      slowest = max(slowest, member.slowestMs)
    end
  end
  return slowest < 0 and -1 or slowest - fastest
end

local function number(value)
  return string.format('%.17g', value)
end

local function list(values)
  local texts = {}
  for i, value in ipairs(values) do texts[i] = number(value) end
  return '[' .. table.concat(texts, ',') .. ']'
end

local function learningText(state, learning)
  if not learning then return '' end
  local seen = {}
  for i, text in ipairs(learning.seen) do seen[i] = cjson.encode(text) end
  return table.concat({
    ',"learning":{"isLearner":', tostring(learning.isLearner),
    ',"seen":[', table.concat(seen, ','),
    '],"seenTo":', number(state.seenTo),
    ',"toldTo":', number(learning.toldTo),
    ',"learnt":', cjson.encode(learning.learnt),
    ',"learntNo":', number(state.learntNo),
    ',"learntAt":', number(state.learntAt),
    '}',
  })
end

local function answer(state, me, shares, staleAt, granted, learning)
  local part, parts, elsewhere = sharesOf(state, me, shares)
  local slots, againAt, spacingMs = granted.slots, granted.againAt, granted.spacingMs
  return table.concat({
    '{"epoch":', cjson.encode(state.epoch),
    ',"origin":', number(state.origin),
    ',"now":', number(staleAt or state.at),
    ',"stale":', tostring(staleAt ~= nil),
    ',"slots":', list(slots or {}),
    ',"againAt":', number(againAt or state.at),
    ',"nextFreeAt":', number(state.ledger.nextFreeAt),
    ',"pausedUntil":', number(state.pausedUntil),
    ',"spacingMs":', number(spacingMs or state.pace.spacingMs),
    ',"tuning":{"calls":', number(state.tuning.calls),
    ',"windowMs":', number(state.tuning.windowMs),
    ',"burst":', number(state.tuning.burst),
    ',"spreadMs":', number(state.tuning.spreadMs),
    '},"seenSpreadMs":', number(seenSpread(state.members)),
    ',"gateways":', number(#state.members + state.ghosts),
    ',"calls":', number(me and me.calls or 0),
    ',"part":', number(part),
    ',"weights":', number(shares.weights),
    ',"parts":', list(parts),
    ',"elsewhere":', number(elsewhere),
    ',"used":', number(state.window.total),
    learningText(state, learning),
    '}',
  })
end

local function publish(state, tuned)
  -- Who may not publish is told of the pause with the next answer: the state is written already.
  redis.pcall('PUBLISH', ARGV[2], table.concat({
    ARGV[3],
    ',"epoch":', cjson.encode(state.epoch),
    ',"pausedUntil":', number(state.pausedUntil),
    ',"tuned":', tostring(tuned),
    '}',
  }))
end

local ask = cjson.decode(ARGV[1])
local kept = redis.call('GET', KEYS[1])
local time = timeMs()
local state = kept and completed(cmsgpack.unpack(kept)) or begin(time, ask)
local origin, now = timeOf(state, time, ask)
if kept and ask.epoch == state.epoch and ask.sentAt >= 0 and now - ask.sentAt > ask.staleMs then
  return answer(state, nil, weigh(state), now, {})
end
state.origin = origin
state.at = now
forgetVanished(state, now)
expire(state.window, now, state.pace.horizonMs)
release(state, ask.released)
if ask.stays == 'leave' then
  for i, member in ipairs(state.members) do
    if member.id == ask.gateway and member.run == ask.run then
      remove(state.members, i)
      break
    end
  end
  if kept then redis.call('SET', KEYS[1], cmsgpack.pack(state)) end
  return answer(state, nil, weigh(state), nil, {})
end
local me = renew(state, now, ask)
local learning = learn(state, me, now, ask.learning)
local tuned = retune(state, now, ask)
local paused = pause(state, now, ask)
local shares = weigh(state)
local slots, againAt, spacingMs = grant(state, me, shares, now, ask)
me.calls = callsAlone(state, me)
redis.call('SET', KEYS[1], cmsgpack.pack(state))
if tuned or paused then publish(state, tuned) end
return answer(state, me, shares, nil, { slots = slots, againAt = againAt, spacingMs = spacingMs }, learning)
