import type { Signer } from '../domain/checkpoint.ts';
import type { Clock } from '../domain/clock.ts';
import type { AuditRecord } from '../domain/record.ts';
import type { Scope } from '../domain/scope.ts';
import type { SinkHealth } from '../domain/sink.ts';
import type { OpenStreams } from '../domain/stream.ts';
import type { Store } from '../store/open-store.ts';
import type { Vault } from '../vault/open-vault.ts';
import { type AppActs, appActs } from './app-acts.ts';
import { type ApplyActs, applyActs } from './apply-acts.ts';
import { type AuditActs, auditActs } from './audit-acts.ts';
import { type AuditProofActs, type AuditProofDeps, auditProofActs } from './audit-proof-acts.ts';
import { type BudgetActs, budgetActs } from './budget-acts.ts';
import type { EndSessions } from './end-sessions.ts';
import { type KeyActs, keyActs } from './key-acts.ts';
import { type KeyRotationActs, keyRotationActs } from './key-rotation-acts.ts';
import type { UnlimitedBudgets } from './key-view.ts';
import { type LeakActs, leakActs } from './leak-acts.ts';
import { type LimitActs, limitActs, type PaceOf } from './limit-acts.ts';
import { type LinkActs, linkActs } from './link-acts.ts';
import { type PersonActs, personActs } from './person-acts.ts';
import type { Probe } from './probe.ts';
import { type RetentionActs, type RetentionDeps, retentionActs } from './retention-acts.ts';
import { type SessionActs, sessionActs } from './session-acts.ts';
import { type SinkActs, sinkActs } from './sink-acts.ts';
import { type StreamActs, streamActs } from './stream-acts.ts';
import { type TeamActs, teamActs } from './team-acts.ts';
import { type TokenActs, tokenActs } from './token-acts.ts';
import { type UsageActs, usageActs } from './usage-acts.ts';

/** Everything that administrators do, by name; the same whether it comes from the command line or over the socket. */
export interface Acts
  extends TeamActs,
    KeyActs,
    KeyRotationActs,
    BudgetActs,
    LimitActs,
    AppActs,
    TokenActs,
    LeakActs,
    PersonActs,
    SessionActs,
    StreamActs,
    SinkActs,
    LinkActs,
    AuditActs,
    AuditProofActs,
    RetentionActs,
    UsageActs,
    ApplyActs {}

export type ActName = keyof Acts;

export interface ActsDeps extends UnlimitedBudgets {
  readonly store: Store;
  readonly vault: Vault;
  readonly record: Pick<AuditRecord, 'append' | 'intend' | 'query'>;
  readonly exported: AuditProofDeps['exported'];
  readonly signer: Signer;
  readonly retention: RetentionDeps['retention'];
  readonly clock: Clock;
  readonly scopes: {
    covers(held: readonly Scope[], needed: Scope): boolean;
    known(scope: Scope): boolean;
  };
  /** Mason's origin that new keys belong to. */
  readonly masonOrigin: string;
  readonly probe: Probe;
  readonly endSessions: EndSessions;
  /** Those of this process. */
  readonly streams: () => OpenStreams;
  readonly sinks: () => readonly SinkHealth[];
  /** Where browsers reach the gateway; undefined while none runs and none is configured. */
  readonly publicAddress: () => string | undefined;
  readonly paceOf: PaceOf;
}

export function createActs(deps: ActsDeps): Acts {
  const ofTeams = {
    ...teamActs(deps),
    ...keyActs(deps),
    ...keyRotationActs(deps),
    ...budgetActs(deps),
    ...appActs(deps),
  };
  return {
    ...ofTeams,
    ...applyActs(deps, ofTeams),
    ...limitActs(deps),
    ...tokenActs(deps),
    ...leakActs(deps),
    ...personActs(deps),
    ...sessionActs(deps),
    ...streamActs(deps),
    ...sinkActs(deps),
    ...linkActs(deps),
    ...auditActs(deps),
    ...auditProofActs(deps),
    ...retentionActs(deps),
    ...usageActs(deps),
  };
}
