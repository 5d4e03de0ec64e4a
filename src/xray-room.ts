import type { Registry } from 'prom-client';
import type { WalkRooms } from './call/walk.ts';
import type { Config } from './config/config.ts';
import type { Core } from './core.ts';
import { OpenSessions } from './stream/xray/open-sessions.ts';
import { addSessionGauges } from './stream/xray/session-gauges.ts';
import type { XrayRooms } from './stream/xray/walk-xray.ts';
import { XrayProxy } from './stream/xray/xray-proxy.ts';

export interface XrayRoomParts {
  readonly core: Core;
  readonly rooms: WalkRooms;
  /** Where Mason is. */
  readonly masonUrl: string;
  readonly registry: Registry;
}

/** Opens the room of X-Ray sessions, with its gauges, and lets administrators see and end them. */
export function openXrayRoom(config: Config, { core, rooms, masonUrl, registry }: XrayRoomParts): XrayRooms {
  const { xray, mason } = config;
  const sessions = new OpenSessions(xray);
  addSessionGauges(registry, sessions);
  core.doors.streams = sessions;
  const proxy = new XrayProxy({ origin: masonUrl, privateHosts: mason.privateHosts, upgradeMs: xray.upgradeMs });
  return { ...rooms, sessions, proxy, tunnels: xray };
}
