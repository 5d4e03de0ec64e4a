import { z } from 'zod';
import type { ActName, Acts } from '../manage/acts.ts';
import { ANSWERS } from './answers.ts';
import { type FieldSchema, fieldsOf } from './describe-fields.ts';
import { ROUTES } from './routes.ts';
import { errorView, VIEWS } from './views.ts';

/** Where the description is; anybody may read it. */
export const OPENAPI_PATH = '/admin/v1/openapi.json';

type Need = Acts[ActName]['need'];
type Json = Readonly<Record<string, unknown>>;

/** What an act asks of whoever does it, in words, and the scopes of a token that has it. */
const NEEDS: Readonly<Record<Need, { readonly words: string; readonly scopes: readonly string[] }>> = {
  operator: { words: 'Operators only.', scopes: [] },
  team: {
    words: 'For leads of the team, operators, and tokens of the team with gateway:admin.',
    scopes: ['gateway:admin'],
  },
  audit: {
    words: 'For auditors and leads of the team, operators, and tokens of the team with gateway:audit or gateway:admin.',
    scopes: ['gateway:audit', 'gateway:admin'],
  },
  usage: {
    words:
      'For auditors and leads of the team, operators, and tokens of the team with gateway:usage, gateway:audit or gateway:admin.',
    scopes: ['gateway:usage', 'gateway:audit', 'gateway:admin'],
  },
  anyone: {
    words: 'For everybody who manages or audits something; answers only what they may see.',
    scopes: ['gateway:usage', 'gateway:audit', 'gateway:admin'],
  },
};

const REFUSALS: Readonly<Record<string, string>> = {
  400: 'The request is not as described; the message says where.',
  401: 'No token or session that holds.',
  403: 'Not with these roles or scopes; or a page did not send X-Requested-By; or it is a page of another origin.',
  404: 'There is no such thing, or it is of a team that is not yours.',
  409: 'It contradicts what is there.',
  413: 'The body is too large.',
  415: 'The body is not JSON in UTF-8, sent plain.',
  429: 'Too many bad credentials, or the line is full; see Retry-After.',
  500: 'A fault of the gateway.',
  503: 'The store or the record does not answer, or the gateway ends; see Retry-After.',
};

/**
 * The management API as OpenAPI 3.1, from what runs: the routes, the acts' own inputs and needs, and what they answer.
 *
 * @param cookieName of the session
 */
export function describeApi(acts: Acts, cookieName: string): Json {
  const paths: Record<string, Record<string, Json>> = {
    [OPENAPI_PATH]: {
      get: {
        operationId: 'openapi',
        summary: 'This description',
        security: [],
        responses: { 200: { description: 'OpenAPI 3.1', content: json({ type: 'object' }) } },
      },
    },
  };
  for (const name of Object.keys(ROUTES) as ActName[]) {
    const { method, path } = ROUTES[name];
    const template = path.replaceAll(/:(\w+)/g, '{$1}');
    paths[template] = { ...paths[template], [method.toLowerCase()]: operationOf(name, acts[name]) };
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'mason-gateway: management',
      version: '1',
      description:
        'Teams, keys, budgets, apps, tokens, people, sessions and the record. Every operation is on record, under the ' +
        'Request-Id that it answers. What is of a team that is not yours answers 404.',
    },
    paths,
    components: {
      schemas: schemas(),
      responses: Object.fromEntries(
        Object.entries(REFUSALS).map(([status, description]) => [
          `Error${status}`,
          { description, headers: REQUEST_ID, content: json(named(errorView)) },
        ]),
      ),
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'A gateway token (mgw_…) with a gateway:* scope.' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: cookieName,
          description: 'The session of a page that signed in.',
        },
        requestedBy: {
          type: 'apiKey',
          in: 'header',
          name: 'X-Requested-By',
          description: 'Any value. Says that a page of this origin asks: others cannot set it.',
        },
      },
    },
  };
}

const REQUEST_ID: Json = {
  'Request-Id': { description: 'Under which it is on record.', schema: { type: 'string', format: 'uuid' } },
};

function operationOf(name: ActName, { need, input }: Acts[ActName]): Json {
  const { method, path } = ROUTES[name];
  const { summary, status, answer, contentTypes = ['application/json'] } = ANSWERS[name];
  const { words, scopes } = NEEDS[need];
  const fields = fieldsOf(input);
  const inPath = fields.filter((field) => path.split('/').includes(`:${field.name}`));
  const others = fields.filter((field) => !inPath.includes(field));
  const bears = method === 'POST' || method === 'PATCH';
  const parameters = [
    ...inPath.map((field) => ({ ...parameter(field), in: 'path', required: true })),
    ...(bears ? [] : others.map((field) => ({ ...parameter(field), in: 'query', required: field.required }))),
  ];
  return {
    operationId: name,
    summary,
    description: words,
    'x-need': need,
    tags: [name.replace(/\..*/, '')],
    security: [...(scopes.length === 0 ? [] : scopes.map((scope) => ({ token: [scope] }))), PAGE],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(bears && others.length > 0 ? { requestBody: bodyOf(others) } : {}),
    responses: {
      [status]: {
        description: 'Done, and on record.',
        headers: REQUEST_ID,
        content: Object.fromEntries(contentTypes.map((type) => [type, { schema: named(answer) }])),
      },
      ...Object.fromEntries(
        Object.keys(REFUSALS).map((refused) => [refused, { $ref: `#/components/responses/Error${refused}` }]),
      ),
    },
  };
}

/** Both are needed: the cookie alone comes with any page's request. */
const PAGE: Json = { session: [], requestedBy: [] };

function parameter({ name, schema }: FieldSchema): Json {
  return { name, schema };
}

function bodyOf(fields: readonly FieldSchema[]): Json {
  const required = fields.filter((field) => field.required).map(({ name }) => name);
  const schema = {
    type: 'object',
    properties: Object.fromEntries(fields.map((field) => [field.name, field.schema])),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
  return { required: required.length > 0, content: json(schema) };
}

function json(schema: Json): Json {
  return { 'application/json': { schema } };
}

function named(schema: z.ZodType): Json {
  const name = VIEWS.get(schema)?.id;
  if (name === undefined) throw new Error('an answer that the description does not name');
  return { $ref: `#/components/schemas/${name}` };
}

function schemas(): Json {
  const { schemas: all } = z.toJSONSchema(VIEWS, { uri: (name) => `#/components/schemas/${name}` });
  return Object.fromEntries(Object.entries(all).map(([name, { $schema, $id, ...schema }]) => [name, schema]));
}
