import { SEQ_BITS } from './record-migrations.ts';

/** SQL for the id of an event: the number of its chain above its place in it. */
export function idSql(chain: string, seq: string): string {
  return `((${chain}::bigint << ${SEQ_BITS}) + ${seq}::bigint)`;
}

/** SQL for the number of the chain, and for the place in it, that stand in an id. */
export function chainSql(id: string): string {
  return `(${id} >> ${SEQ_BITS})::integer`;
}

export function seqSql(id: string): string {
  return `(${id} & ${2 ** SEQ_BITS - 1})`;
}
