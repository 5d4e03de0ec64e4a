const CHARACTERS_MAX = 120;
/** What is looked at of a claim, however long it is. */
const CLAIM_CHARACTERS_MAX = 1_024;

/** Control characters, marks that turn the direction of writing, halves of characters, and whatever else cannot be seen. */
const UNSEEN = /[\p{C}\s]+/gu;

/** A name for people to read, from the first claim that has one, else from the subject. It decides nothing: anybody may be called anything. */
export function displayName(claims: Readonly<Record<string, unknown>>, subject: string): string {
  for (const claim of ['name', 'preferred_username', 'email']) {
    const value = claims[claim];
    const name = typeof value === 'string' ? readable(value) : '';
    if (name !== '') return name;
  }
  return readable(subject);
}

function readable(text: string): string {
  const shown = text.slice(0, CLAIM_CHARACTERS_MAX).replace(UNSEEN, ' ').trim();
  // By code points: half of a character is none.
  return Array.from(shown).slice(0, CHARACTERS_MAX).join('').trimEnd();
}
