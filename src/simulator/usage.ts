/** Printed by `--help`. */
export const USAGE = `Usage: npm run simulator -- [options]

A Mason Platform API to develop, test and demonstrate against: the API under /v1, its remote control under /_sim
(from this machine only, without a key), a page that uses it through a gateway under /example/.

Where
  --host ADDRESS            listen here (127.0.0.1)
  --port PORT               0 takes a free one (8090)
  --json                    the first line of output is {"url","port"}
  --until-stdin-ends        end with whoever holds standard input

Fleet: the same numbers give the same fleet
  --devices N               (200)
  --groups N                (8)
  --seed N                  (1)

Keys
  --key KEY=SCOPE,SCOPE     repeatable; without any: demo-owner-key with account:owner, demo-reader-key with fleet:read
  --key-file FILE           JSON, to keep them off the command line:
                            [{"key": "…", "scopes": ["fleet:read"], "label"?: "…", "account"?: "…"}]

Limit
  --limit CALLS/WINDOW      100/1s, 600/60s, 1000/1h, 5/250ms (none)
  --limit-kind KIND         fixed, fixed-from-first, sliding-log, sliding-counter, token-bucket (fixed)
  --limit-depth N           token bucket: how many may come at once (CALLS)
  --limit-scope SCOPE       each key or each account has the limit: key, account (key)
  --retry-after FORM        seconds, date, none (seconds)
  --rate-headers DIALECT    ietf, ietf-old, x-ratelimit, x-rate-limit, none (none)
  --rate-reset FORM         reset of the x- dialects: left (seconds), epoch, epoch-ms (left)

Time, in milliseconds, a number or a range
  --latency 20..80          Mason's own work, after a call was counted (0)
  --jitter 0..50            the way to Mason, before it is counted (0)
  --keep-alive-ms N         an idle connection is closed after this (5000)

Example frontend, at /example/
  --example-gateway URL     the gateway that it uses, http://127.0.0.1:8080; it must list this simulator's origin in
                            "frontends" (none: the page says so)

  --keep-requests N         how many requests /_sim/requests remembers (1000)
  --help

Examples
  npm run simulator -- --port 8090 --devices 5000 --groups 12
  npm run simulator -- --limit 100/1s --limit-kind sliding-log --latency 20..80 --jitter 0..50
  npm run simulator -- --key team-a=fleet:read,notify:reboot --key team-b=account:owner
  curl -H 'Authorization: basic demo-reader-key' 'http://127.0.0.1:8090/v1/default/device?limit=2'
  curl -d '{"times": 2, "fault": {"kind": "status", "status": 503}}' http://127.0.0.1:8090/_sim/faults
  curl -d '{"device": "<id>", "state": "absent"}' http://127.0.0.1:8090/_sim/xray   # X-Ray: ready, absent, unsupported, failing
  curl http://127.0.0.1:8090/_sim/stats`;
