type Fields = Readonly<Record<string, unknown>>;

/** Activities of the class API Activity. */
const [CREATE, READ, UPDATE, DELETE, OTHER] = [1, 2, 3, 4, 99];

/** By the last word of an operation or an act, where that says more than the method. */
const BY_WORD: Readonly<Record<string, number>> = {
  add: CREATE,
  create: CREATE,
  upload: CREATE,
  rename: UPDATE,
  move: UPDATE,
  set: UPDATE,
  rotate: UPDATE,
  enable: UPDATE,
  disable: UPDATE,
  apply: UPDATE,
  list: READ,
  show: READ,
  query: READ,
  keys: READ,
  export: READ,
  remove: DELETE,
  revoke: DELETE,
  forget: DELETE,
  delete: DELETE,
};

const BY_METHOD: Readonly<Record<string, number>> = { PUT: UPDATE, PATCH: UPDATE, DELETE };

/** OCSF's `activity_id`: 1 create, 2 read, 3 update, 4 delete, 99 what is none of them, such as restarting a device. */
export function ocsfActivity({ act, operation, effect, method }: Fields): number {
  if (effect === 'read') return READ;
  const word =
    String(act ?? operation ?? '')
      .split('.')
      .at(-1) ?? '';
  const known = Object.hasOwn(BY_WORD, word) ? BY_WORD[word] : BY_METHOD[String(method)];
  return known ?? (operation === undefined && act === undefined && method === 'GET' ? READ : OTHER);
}

/** OCSF's `status_id`: 1 success, 2 failure, 0 not known (yet). */
export function ocsfStatus({ kind, result, status }: Fields): number {
  if (kind === 'refused') return 2;
  if (result === 'answered') return Number(status) < 400 ? 1 : 2;
  if (result === 'done') return 1;
  return result === 'not_sent' || result === 'failed' || result === 'aborted' ? 2 : 0;
}

/** OCSF's `severity_id`: 1 informational, 2 low (refused), 3 medium (nobody knows what became of a change), 4 high (a gap). */
export function ocsfSeverity({ kind, result, act }: Fields): number {
  if (act === 'gateway.gap') return 4;
  if (result === 'unknown') return 3;
  return kind === 'refused' || String(act).endsWith('.refused') ? 2 : 1;
}
