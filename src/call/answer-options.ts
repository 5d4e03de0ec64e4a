import type { ServerResponse } from 'node:http';
import type { RequestTarget } from '../http/request-target.ts';
import { SECURITY_HEADERS } from '../http/security-headers.ts';
import type { RouteTable } from '../mason/route-table.ts';

/** OPTIONS tells anybody what a path has; it is answered here, and Mason never hears of it. */
export function answerOptions(routes: RouteTable, res: ServerResponse, target: RequestTarget): void {
  const methods = target.path === '*' ? ['GET', 'HEAD', 'POST', 'DELETE'] : routes.methodsAt(target.path);
  res.writeHead(204, { ...SECURITY_HEADERS, Allow: ['OPTIONS', ...(methods ?? [])].join(', ') });
  res.end();
}
