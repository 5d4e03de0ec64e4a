import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { displayName } from '../../../src/session/oidc/display-name.ts';

test.each([
  [{ name: 'Alice', preferred_username: 'al', email: 'a@example.com' }, 'Alice'],
  [{ name: ' ', preferred_username: 'al', email: 'a@example.com' }, 'al'],
  [{ name: 7, email: 'a@example.com' }, 'a@example.com'],
  [{ name: '\u0000\u202E' }, 'subject'],
  [{}, 'subject'],
  [{ name: 'Zoë 😀 Müller' }, 'Zoë 😀 Müller'],
  [{ name: 'Eve\r\nSet-Cookie: x' }, 'Eve Set-Cookie: x'],
  // Turned round, this would read as another name.
  [{ name: 'Bob\u202Ecilam' }, 'Bob cilam'],
  [{ name: '😀'.repeat(200) }, '😀'.repeat(120)],
])('%j is shown as %s', (claims, shown) => {
  expect(displayName(claims, 'subject')).toBe(shown);
});

test('whatever somebody is called: at most 120 characters, on one line, all of them whole and to be seen', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 2_000 }), fc.string({ unit: 'binary' }), (name, subject) => {
      const shown = displayName({ name }, subject);
      expect(Array.from(shown).length).toBeLessThanOrEqual(120);
      expect(shown).not.toMatch(/[\p{C}\r\n]/u);
      expect(shown).toBe(shown.trim());
    }),
  );
});
