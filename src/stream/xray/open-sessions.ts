import type { Call } from '../../call/call.ts';
import { GatewayError } from '../../domain/errors.ts';
import type { OpenStream, OpenStreams } from '../../domain/stream.ts';
import type { Tunnel } from './tunnel.ts';

export interface SessionBounds {
  readonly perTeamMax: number;
  /** Of one team. */
  readonly perDeviceMax: number;
}

/** Nobody knows when a session ends. */
const RETRY_AFTER_MS = 10_000;

/** What somebody who wants a session holds until it is over. */
export interface Seat extends Disposable {
  /** The session is there. */
  opened(tunnel: Tunnel): void;
}

interface Held {
  readonly call: Call;
  readonly teamId: string;
  readonly device: string;
  tunnel: Tunnel | undefined;
  openedAt: number;
}

/** The X-Ray sessions of this gateway, and those that are being asked for. */
export class OpenSessions implements OpenStreams {
  readonly #bounds: SessionBounds;
  readonly #held = new Map<string, Held>();
  readonly #passed = { in: 0, out: 0 };
  #ended: GatewayError | undefined;

  constructor(bounds: SessionBounds) {
    this.#bounds = bounds;
  }

  /**
   * Takes a seat until it is disposed of.
   *
   * @throws GatewayError `queue_full`: told at once, since nobody knows when one is free; the reason of {@link endAll} after it
   */
  take(call: Call, teamId: string, device: string): Seat {
    if (this.#ended !== undefined) throw this.#ended;
    const own = [...this.#held.values()].filter((held) => held.teamId === teamId);
    const { perTeamMax, perDeviceMax } = this.#bounds;
    if (own.length >= perTeamMax) throw full(`your team has ${own.length}, and may have ${perTeamMax}`);
    const atDevice = own.filter((held) => held.device === device).length;
    if (atDevice >= perDeviceMax) throw full(`your team has ${atDevice} on this device, and may have ${perDeviceMax}`);
    const held: Held = { call, teamId, device, tunnel: undefined, openedAt: 0 };
    this.#held.set(call.id, held);
    return {
      opened: (tunnel) => {
        held.tunnel = tunnel;
        held.openedAt = call.epochMs + call.elapsed();
      },
      [Symbol.dispose]: () => this.#giveBack(held),
    };
  }

  list(): OpenStream[] {
    return [...this.#held.values()].flatMap(({ call, device, tunnel, openedAt }) => {
      const { caller, operation } = call;
      // One that ends is there no more, for whoever looks.
      if (tunnel === undefined || caller === undefined || call.signal.aborted) return [];
      return {
        id: call.id,
        team: caller.team,
        operation: operation.id,
        device,
        holder: caller.kind === 'app' ? caller.app.name : caller.person.name,
        holderId: caller.kind === 'app' ? caller.app.id : caller.person.id,
        address: call.address,
        openedAt,
        bytesIn: tunnel.bytes.in,
        bytesOut: tunnel.bytes.out,
      };
    });
  }

  end(id: string, words: string): boolean {
    const held = this.#held.get(id);
    if (held?.tunnel === undefined || held.call.signal.aborted) return false;
    held.call.abort(new GatewayError('forbidden', words));
    return true;
  }

  /** Ends all, also those that are asked for, and opens no more: the gateway ends. */
  endAll(reason: GatewayError): void {
    this.#ended = reason;
    for (const { call } of this.#held.values()) call.abort(reason);
  }

  /** For the metrics: how many are open, and what passed since the start. */
  tally(): { open: number; bytesIn: number; bytesOut: number } {
    const tunnels = [...this.#held.values()].flatMap(({ tunnel }) => tunnel ?? []);
    return {
      open: tunnels.length,
      bytesIn: tunnels.reduce((sum, { bytes }) => sum + bytes.in, this.#passed.in),
      bytesOut: tunnels.reduce((sum, { bytes }) => sum + bytes.out, this.#passed.out),
    };
  }

  #giveBack({ call, tunnel }: Held): void {
    this.#held.delete(call.id);
    this.#passed.in += tunnel?.bytes.in ?? 0;
    this.#passed.out += tunnel?.bytes.out ?? 0;
  }
}

function full(why: string): GatewayError {
  return new GatewayError('queue_full', `too many X-Ray sessions: ${why}`, { retryAfterMs: RETRY_AFTER_MS });
}
