import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { SessionStore, Ticket } from '../../src/domain/session.ts';
import { type PresentedTicket, Tickets, ticketIn } from '../../src/session/tickets.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const USE = { sessionDigest: 'session', method: 'GET', target: '/v1/x?a=1' };

function bench() {
  const kept = new Map<string, Ticket>();
  const store: Pick<SessionStore, 'addTicket' | 'takeTicket'> = {
    addTicket: async (ticket) => void kept.set(ticket.digest, ticket),
    async takeTicket(digest) {
      const ticket = kept.get(digest);
      kept.delete(digest);
      return ticket;
    },
  };
  const clock = new VirtualClock();
  return { tickets: new Tickets(store, clock), clock, kept };
}

const presented = (target: string): PresentedTicket => {
  const ticket = ticketIn(target.slice(target.indexOf('?')));
  if (ticket === undefined) throw new Error('no ticket in it');
  return ticket;
};

describe('C9: a ticket', () => {
  test.each([
    ['as asked for', USE, 'taken'],
    ['with another method', { ...USE, method: 'POST' }, 'csrf_refused'],
    ['with another target', { ...USE, target: '/v1/x?a=2' }, 'csrf_refused'],
    ['in another session', { ...USE, sessionDigest: 'other' }, 'csrf_refused'],
  ])('%s: %s', async (_what, use, expected) => {
    const { tickets } = bench();
    const { target } = await tickets.issue(USE, undefined);
    const taken = tickets.redeem(presented(target), use).then(
      () => 'taken',
      (error) => error.code,
    );
    expect(await taken).toBe(expected);
    await expect(tickets.redeem(presented(target), USE)).rejects.toMatchObject({ code: 'csrf_refused' });
  });

  test('ends after 30 s, whatever the store says', async () => {
    const { tickets, clock } = bench();
    const { target } = await tickets.issue(USE, undefined);
    await clock.advance(30_000);
    await expect(tickets.redeem(presented(target), USE)).rejects.toMatchObject({ code: 'csrf_refused' });
  });

  test('is not what the store keeps', async () => {
    const { tickets, kept } = bench();
    const { target } = await tickets.issue(USE, 'https://app.example.com');
    const ticket = target.split('gateway-ticket=')[1] ?? '';
    expect(JSON.stringify([...kept])).not.toContain(ticket.split('.')[0]);
    expect(presented(target).origin).toBe('https://app.example.com');
  });

  test('twice in a query is refused: which one is meant?', () => {
    const one = `gateway-ticket=${'x'.repeat(43)}`;
    expect(() => ticketIn(`?${one}&${one}`)).toThrow(/expected one "gateway-ticket"/);
    expect(() => ticketIn(`?${one}&a=1&gateway-ticket=`)).toThrow(/expected one "gateway-ticket"/);
  });

  test('is cut out of a query, and every other byte stays', () => {
    const pair = fc
      .string({ unit: fc.constantFrom(...'ab=%7e[]+;:@/?!"', 'gateway-ticket'), maxLength: 12 })
      .filter((text) => !text.startsWith('gateway-ticket='));
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 5 }), fc.nat(5), (pairs, at) => {
        const ticket = `gateway-ticket=${'x'.repeat(43)}`;
        const query = `?${pairs.toSpliced(at, 0, ticket).join('&')}`;
        expect(ticketIn(query)?.rest).toBe(pairs.length === 0 ? '' : `?${pairs.join('&')}`);
        expect(ticketIn(`?${pairs.join('&')}`)).toBeUndefined();
      }),
    );
  });
});
