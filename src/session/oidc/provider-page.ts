import { SECURITY_HEADERS } from '../../http/security-headers.ts';
import type { ProviderSettings } from './identity-provider.ts';

/** The one style sheet of this origin, and nothing else: no script, no form, no frame. */
const POLICY = "default-src 'none';style-src 'self';frame-ancestors 'none';base-uri 'none';form-action 'none'";

/** The page on which somebody chooses an identity provider: plain links. */
export function providerPage(
  providers: readonly Pick<ProviderSettings, 'id' | 'name'>[],
  returnTo: string,
): { readonly html: string; readonly headers: Readonly<Record<string, string | number>> } {
  const links = providers.map(({ id, name }) => {
    const query = new URLSearchParams({ provider: id, returnTo });
    return `<li><a class="button" href="/auth/login?${escaped(query.toString())}">${escaped(name ?? id)}</a></li>\n`;
  });
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in - mason-gateway</title>
<link rel="stylesheet" href="/auth/page.css">
</head>
<body>
<header><h1>mason-gateway</h1></header>
<main>
<h2>Sign in with</h2>
<ul>
${links.join('')}</ul>
</main>
</body>
</html>
`;
  const headers = {
    ...SECURITY_HEADERS,
    'Content-Security-Policy': POLICY,
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': Buffer.byteLength(html),
  };
  return { html, headers };
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
