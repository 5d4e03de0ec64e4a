/** What calls may do to devices, from least to most. */
export type Effect = 'read' | 'change' | 'disruptive' | 'destructive';

/** A rate budget of a team's, with the caller's share of it. */
export interface BudgetStatus {
  readonly name: string;
  /** `100/1s`; null where nobody said. */
  readonly limit: string | null;
  readonly windowMs: number;
  /** Calls a window that are the caller's share now, and how many of them could go without waiting. */
  readonly callsMax: number;
  readonly callsLeft: number;
  /** Calls of everybody that wait for it now. */
  readonly waiting: number;
}

/** The Mason keys of a team, by name, and their budgets. */
export interface TeamStatus {
  readonly keys: readonly {
    readonly name: string;
    readonly scopes: readonly string[];
    readonly budget: string;
    /** What Mason last said of it: takes it, refuses it, or was not asked since the gateway started. */
    readonly health: 'ok' | 'refused' | 'unused';
  }[];
  readonly budgets: readonly BudgetStatus[];
}

/** A team of whoever is signed in. */
export interface SessionTeam {
  readonly id: string;
  readonly slug: string;
  readonly roles: readonly string[];
  /** What they may call Mason for; null: nothing. */
  readonly calls: { readonly scopes: readonly string[]; readonly effects: Effect } | null;
  /** Whether they manage its apps, tokens and keys. */
  readonly manages: boolean;
  /** Whether they read its record. */
  readonly audits: boolean;
  /** Null where the gateway cannot tell now. */
  readonly status: TeamStatus | null;
}

/** Who is signed in, and what they may do. Pages of a listed frontend see the teams that it may act for. */
export interface SessionView {
  readonly kind: 'person';
  readonly person: { readonly id: string; readonly name: string };
  /** Public id of the session: safe to show. */
  readonly session: string;
  /** Whole seconds until it ends if nothing more comes. */
  readonly secondsLeft: number;
  /** Whether they manage everything. */
  readonly operates: boolean;
  readonly teams: readonly SessionTeam[];
}

/** What a token is, and may do. */
export interface TokenView {
  readonly kind: 'app';
  readonly team: string;
  readonly app: string;
  /** Public id of the token: safe to show. */
  readonly tokenId: string;
  readonly scopes: readonly string[];
  readonly effects: Effect;
  /** Address ranges from which it may be used; empty: any. */
  readonly from: readonly string[];
  /** The most urgent `urgency` that it may ask for. */
  readonly urgency: number;
  /** ISO time. */
  readonly expiresAt: string;
  readonly secondsLeft: number;
  readonly budgets: readonly BudgetStatus[];
}
