import type { BlockList } from 'node:net';
import type { AppCaller } from '../domain/caller.ts';
import type { Clock } from '../domain/clock.ts';
import { GatewayError } from '../domain/errors.ts';
import type { MasonKey, MasonKeys, OpenedKey } from '../domain/mason-key.ts';
import type { People, Person } from '../domain/person.ts';
import type { Teams } from '../domain/team.ts';
import type { Token, Tokens } from '../domain/token.ts';
import { addressList } from '../http/peer-address.ts';

/** What is known, or being asked for. */
type Memory<K, T> = Map<K, T | Promise<T>>;

/** A token as a call needs it. */
export interface Grant {
  readonly caller: AppCaller;
  readonly token: Token;
  /** Undefined: from anywhere. */
  readonly addresses: BlockList | undefined;
}

interface Source {
  readonly tokens: Pick<Tokens, 'findGrant' | 'touch'>;
  readonly keys: Pick<MasonKeys, 'listByTeam' | 'touch'>;
  readonly people: Pick<People, 'findById'>;
  readonly teams: Pick<Teams, 'list'>;
  revision(): Promise<number>;
  /** Undefined for a key that is of no use here: of another Mason, or of a team that is gone. */
  openKey(key: MasonKey): Promise<OpenedKey | undefined>;
}

export interface VerdictBounds {
  /** How long verdicts may serve reads while the store does not answer. */
  readonly staleMs: number;
}

const POLL_MS = 500;
const FLUSH_USES_MS = 10_000;
/** Past this many tokens or teams the cache starts anew: simple, and far beyond what one gateway sees. */
const ENTRIES_MAX = 20_000;

/**
 * What the store said about tokens, keys, people and teams, remembered until its `revision` moves. Changes made by any gateway or the
 * command line are noticed within half a second; then every remembered verdict is dropped and the listeners hear of it.
 */
export class Verdicts implements AsyncDisposable {
  readonly #source: Source;
  readonly #clock: Clock;
  readonly #bounds: VerdictBounds;
  readonly #grants: Memory<string, Grant | undefined> = new Map();
  readonly #keys: Memory<string, readonly OpenedKey[]> = new Map();
  readonly #people: Memory<string, Person | undefined> = new Map();
  readonly #slugs: Memory<'all', ReadonlyMap<string, string>> = new Map();
  readonly #tokenUses = new Map<string, number>();
  readonly #keyUses = new Map<string, number>();
  readonly #listeners: (() => void)[] = [];
  #revision: number | undefined;
  #confirmedAt: number;
  #flushedAt: number;
  #cancelPoll: () => void = () => {};
  #closed = false;

  constructor(source: Source, clock: Clock, bounds: VerdictBounds) {
    this.#source = source;
    this.#clock = clock;
    this.#bounds = bounds;
    this.#confirmedAt = clock.now();
    this.#flushedAt = clock.now();
    this.#schedule();
  }

  /** Calls back after each change of the store. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Whether the store answered lately: what changes devices is not decided on old verdicts. */
  get fresh(): boolean {
    return this.#clock.now() - this.#confirmedAt < POLL_MS * 4;
  }

  /**
   * The grant of a token, valid or not.
   *
   * @throws GatewayError `store_unavailable`
   */
  grant(digest: string): Grant | undefined | Promise<Grant | undefined> {
    return this.#remember(this.#grants, digest, async () => {
      const found = await this.#source.tokens.findGrant(digest);
      if (found === undefined) return undefined;
      const { token, app, team } = found;
      return {
        token,
        caller: {
          kind: 'app',
          team,
          app: { id: app.id, name: app.name },
          share: { id: app.id, weight: app.weight },
          tokenId: token.id,
          scopes: token.scopes,
          effectCeiling: token.effectCeiling,
          urgencyMin: token.urgencyMin,
        },
        addresses: token.addressRanges.length === 0 ? undefined : addressList(token.addressRanges),
      };
    });
  }

  /**
   * The keys of a team, opened.
   *
   * @throws GatewayError `store_unavailable`
   */
  teamKeys(teamId: string): readonly OpenedKey[] | Promise<readonly OpenedKey[]> {
    return this.#remember(this.#keys, teamId, async () => {
      const keys = await this.#source.keys.listByTeam(teamId);
      const opened = await Promise.all(keys.map((key) => this.#source.openKey(key)));
      return opened.filter((key) => key !== undefined);
    });
  }

  /**
   * A person, disabled or not.
   *
   * @throws GatewayError `store_unavailable`
   */
  person(id: string): Person | undefined | Promise<Person | undefined> {
    return this.#remember(this.#people, id, () => this.#source.people.findById(id));
  }

  /**
   * The slugs of all teams, by id.
   *
   * @throws GatewayError `store_unavailable`
   */
  teamSlugs(): ReadonlyMap<string, string> | Promise<ReadonlyMap<string, string>> {
    return this.#remember(this.#slugs, 'all', async () => {
      const teams = await this.#source.teams.list();
      return new Map(teams.map(({ id, slug }) => [id, slug]));
    });
  }

  noteTokenUse(tokenId: string, epochMs: number): void {
    this.#tokenUses.set(tokenId, epochMs);
  }

  noteKeyUse(keyId: string, epochMs: number): void {
    this.#keyUses.set(keyId, epochMs);
  }

  /** What is known is given at once, without a promise: it is asked for four times a call. */
  #remember<K, T>(memory: Memory<K, T>, id: K, find: () => Promise<T>): T | Promise<T> {
    if (this.#clock.now() - this.#confirmedAt > POLL_MS * 4 + this.#bounds.staleMs) {
      throw new GatewayError('store_unavailable', 'the store of teams and tokens does not answer');
    }
    const known = memory.get(id);
    if (known !== undefined) return known;
    if (memory.size >= ENTRIES_MAX) memory.clear();
    const finding = find();
    memory.set(id, finding);
    finding.then(
      (value) => {
        if (memory.get(id) !== finding) return;
        // Strangers' digests are not worth remembering: anybody can make up as many as they like.
        if (value === undefined) memory.delete(id);
        else memory.set(id, value);
      },
      () => memory.get(id) === finding && memory.delete(id),
    );
    return finding;
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#cancelPoll = this.#clock.after(POLL_MS, () => {
      void this.refresh().finally(() => this.#schedule());
    });
  }

  /** Asks the store now whether anything changed. Never throws: a store that fails makes verdicts stale. */
  async refresh(): Promise<void> {
    const asked = this.#clock.now();
    let revision: number;
    try {
      revision = await this.#source.revision();
      if (asked - this.#flushedAt > FLUSH_USES_MS) await this.#flushUses();
    } catch {
      return;
    }
    this.#confirmedAt = asked;
    if (revision === this.#revision) return;
    const first = this.#revision === undefined;
    this.#revision = revision;
    this.#grants.clear();
    this.#keys.clear();
    this.#people.clear();
    this.#slugs.clear();
    if (!first) for (const listener of this.#listeners) listener();
  }

  async #flushUses(): Promise<void> {
    this.#flushedAt = this.#clock.now();
    const [tokens, keys] = [new Map(this.#tokenUses), new Map(this.#keyUses)];
    this.#tokenUses.clear();
    this.#keyUses.clear();
    if (tokens.size > 0) await this.#source.tokens.touch(tokens);
    if (keys.size > 0) await this.#source.keys.touch(keys);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#cancelPoll();
    await this.#flushUses().catch(() => {});
  }
}
