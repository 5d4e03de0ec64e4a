import { z } from 'zod';
import { GatewayError } from '../domain/errors.ts';
import type { OpenStream, OpenStreams } from '../domain/stream.ts';
import { type Act, type ActDeps, changing, looking } from './act.ts';
import { requestId, slug } from './fields.ts';
import { teamsNamed } from './look-up.ts';

/** An X-Ray session that is open at this gateway. */
export interface StreamView extends Omit<OpenStream, 'team' | 'openedAt' | 'holderId'> {
  readonly team: string;
  /** ISO time. */
  readonly openedAt: string;
}

export interface StreamActs {
  /** `{team?}`: of this gateway; each gateway knows its own. */
  'stream.list': Act<{ data: readonly StreamView[] }>;
  /** `{id}`: the request id that `stream.list` shows. */
  'stream.end': Act<{ ended: string }>;
}

export function streamActs(deps: ActDeps & { streams: () => OpenStreams }): StreamActs {
  const { streams } = deps;
  return {
    'stream.list': looking(
      deps,
      { name: 'stream.list', need: 'team', input: z.strictObject({ team: slug.optional() }) },
      async (input, { reach }) => {
        const teams = new Set((await teamsNamed(reach, input.team)).map(({ id }) => id));
        const data = streams()
          .list()
          .filter(({ team }) => teams.has(team.id))
          .map(({ team, openedAt, holderId, ...rest }) => ({
            ...rest,
            team: team.slug,
            openedAt: new Date(openedAt).toISOString(),
          }));
        return { answer: { data } };
      },
    ),

    'stream.end': changing(
      deps,
      { name: 'stream.end', need: 'team', input: z.strictObject({ id: requestId }) },
      async ({ id }, { reach }) => {
        const open = streams()
          .list()
          .find((stream) => stream.id === id && reach.includes(stream.team.id));
        if (open === undefined) throw notOpen(id);
        return {
          team: open.team,
          details: { operation: open.operation, device: open.device, holder: open.holderId },
          async carryOut() {
            if (!streams().end(id, 'ended by an administrator')) throw notOpen(id);
            return { ended: id };
          },
        };
      },
    ),
  };
}

function notOpen(id: string): GatewayError {
  return new GatewayError('not_found', `there is no stream ${id} at this gateway, or it has ended`);
}
