import type { ServerResponse } from 'node:http';
import { SECURITY_HEADERS } from '../http/security-headers.ts';
import type { RouteTable } from '../mason/route-table.ts';

/** OPTIONS tells anybody what a path has; it is answered here, and Mason never hears of it. */
export function answerOptions(routes: RouteTable, res: ServerResponse, path: string): void {
  const methods = path === '*' ? ['GET', 'HEAD', 'POST', 'DELETE'] : routes.methodsAt(path);
  res.writeHead(204, { ...SECURITY_HEADERS, Allow: ['OPTIONS', ...(methods ?? [])].join(', ') });
  res.end();
}
