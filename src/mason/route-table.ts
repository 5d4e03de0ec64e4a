import { GatewayError } from '../domain/errors.ts';
import type { Operation } from '../domain/operation.ts';

/** An operation found for a path, with the raw (still encoded) values of its parameters. */
export interface Route {
  readonly operation: Operation;
  readonly parameters: Readonly<Record<string, string>>;
}

interface Node {
  readonly fixed: Map<string, Node>;
  parameter: Node | undefined;
  readonly operations: Map<string, { operation: Operation; names: readonly string[] }>;
}

const makeNode = (): Node => ({ fixed: new Map(), parameter: undefined, operations: new Map() });

/** All operations in a tree of path segments; a parameter is exactly one non-empty segment, and fixed segments win. */
export class RouteTable {
  readonly #root = makeNode();
  readonly operations: readonly Operation[];

  /** @param operations later ones replace earlier ones with the same id, or the same method and path. */
  constructor(operations: readonly Operation[]) {
    const byId = new Map(operations.map((operation) => [operation.id, operation]));
    for (const operation of operations) if (byId.get(operation.id) === operation) this.#add(operation);
    this.operations = [...walkNodes(this.#root)];
  }

  #add(operation: Operation): void {
    const names: string[] = [];
    let node = this.#root;
    for (const segment of operation.path.split('/').slice(1)) {
      const name = /^\{(\w+)\}$/.exec(segment)?.[1];
      if (name !== undefined) {
        names.push(name);
        node.parameter ??= makeNode();
        node = node.parameter;
        continue;
      }
      let next = node.fixed.get(segment);
      if (next === undefined) {
        next = makeNode();
        node.fixed.set(segment, next);
      }
      node = next;
    }
    node.operations.set(operation.method, { operation, names });
  }

  /**
   * @param path raw path bytes, checked before ({@link readRequestTarget})
   * @throws GatewayError `unknown_operation`, `method_not_allowed` with the methods that the path has
   */
  find(method: string, path: string): Route {
    const segments = path.split('/');
    const values: string[] = [];
    const node = descend(this.#root, segments, 1, values);
    if (node === undefined) throw new GatewayError('unknown_operation', `no operation of Mason's is known at ${path}`);
    const found = node.operations.get(wanted(method));
    if (found === undefined) {
      const allow = allowedMethods(node);
      throw new GatewayError('method_not_allowed', `${method} is not known at ${path}; known: ${allow.join(', ')}`, {
        allow,
      });
    }
    const parameters: Record<string, string> = {};
    for (const [index, name] of found.names.entries()) parameters[name] = values[index] as string;
    return { operation: found.operation, parameters };
  }

  /** Whether what is found there is streamed; false where nothing is. */
  isStreamed(method: string, path: string): boolean {
    const node = descend(this.#root, path.split('/'), 1, []);
    return node?.operations.get(wanted(method))?.operation.transfer === 'stream';
  }

  /** The methods at a path, for OPTIONS; undefined when nothing is there. */
  methodsAt(path: string): string[] | undefined {
    const node = descend(this.#root, path.split('/'), 1, []);
    return node === undefined ? undefined : allowedMethods(node);
  }
}

function wanted(method: string): string {
  return method === 'HEAD' ? 'GET' : method;
}

function allowedMethods(node: Node): string[] {
  const methods = [...node.operations.keys()];
  return methods.includes('GET') ? ['HEAD', ...methods].toSorted() : methods.toSorted();
}

/** Depth first with fixed segments before parameters; the table is small and a path has few segments. */
function descend(node: Node, segments: readonly string[], at: number, values: string[]): Node | undefined {
  if (at === segments.length) return node.operations.size > 0 ? node : undefined;
  const segment = segments[at] as string;
  if (segment === '') return undefined;
  const fixed = node.fixed.get(segment);
  const found = fixed === undefined ? undefined : descend(fixed, segments, at + 1, values);
  if (found !== undefined || node.parameter === undefined) return found;
  values.push(segment);
  const deeper = descend(node.parameter, segments, at + 1, values);
  if (deeper === undefined) values.pop();
  return deeper;
}

function* walkNodes(node: Node): Generator<Operation> {
  for (const { operation } of node.operations.values()) yield operation;
  for (const next of node.fixed.values()) yield* walkNodes(next);
  if (node.parameter !== undefined) yield* walkNodes(node.parameter);
}
