import { randomBytes } from 'node:crypto';

/** Crockford's base32 in lower case: no letters that people mistake for others. 32 divides 256, so that all are equally likely. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const CHARACTERS = 20;

/** A stable public id such as `team_3f…`: 100 random bits, so that it never comes twice on any gateway. */
export function newId(kind: 'team' | 'app' | 'budget' | 'key' | 'tok' | 'lnk' | 'per' | 'ses'): string {
  let id = `${kind}_`;
  for (const byte of randomBytes(CHARACTERS)) id += ALPHABET.charAt(byte % ALPHABET.length);
  return id;
}
