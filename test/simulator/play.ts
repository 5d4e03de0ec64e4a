import { expect } from '@jest/globals';
import type { Fault } from '../../src/simulator/faults/fault.ts';
import type { SimulatorProcess } from '../support/simulator.ts';
import { apiAt } from './api-client.ts';
import { answers, get, type Heard, talk } from './raw-client.ts';

/** What one caller hears when this fault is played, the next answer on another connection being sound again. */
export async function play(
  sim: SimulatorProcess,
  fault: Fault,
  enough?: (text: string) => boolean,
): Promise<Heard & { head: string; body: string }> {
  await sim.faults(fault);
  const heard = await talk(sim.port, get('/v1/default/group'), enough);
  expect((await apiAt(sim.url)('GET', '/default/group')).status).toBe(200);
  expect((await sim.requests(2)).map((record) => record.fault)).toEqual([fault.kind, null]);
  const [head = '', body = ''] = heard.text.split('\r\n\r\n');
  return { ...heard, head, body };
}

/** Enough for one final answer that comes in one piece. */
export function answered(text: string): boolean {
  return answers(text) === 1 && text.includes('\r\n\r\n');
}
