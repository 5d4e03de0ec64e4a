import { z } from 'zod';

/*
 * What the public schema of OCSF 1.3 asks of an API Activity, as far as attributes are used here: which must be there, their
 * types, their enumerations, and of which objects one of several attributes must be there. Nothing else may stand in an event:
 * an attribute that a reader does not know belongs into `unmapped`.
 */

const text = z.string().min(1);
const count = z.int().min(0);

const user = z
  .strictObject({
    name: text.optional(),
    uid: text.optional(),
    credential_uid: text.optional(),
    type_id: z.literal([0, 1, 2, 3, 99]),
    type: text.optional(),
  })
  .refine(({ name, uid }) => name !== undefined || uid !== undefined, 'at least one of name, uid');

export const API_ACTIVITY = z
  .strictObject({
    category_uid: z.literal(6),
    class_uid: z.literal(6003),
    activity_id: z.literal([1, 2, 3, 4, 99]),
    type_uid: z.int(),
    time: count,
    duration: count.optional(),
    severity_id: z.literal([1, 2, 3, 4]),
    status_id: z.literal([0, 1, 2]),
    status_code: text.optional(),
    status_detail: text.optional(),
    metadata: z.strictObject({
      version: z.literal('1.3.0'),
      product: z.strictObject({ name: text, vendor_name: text }),
      uid: text,
      sequence: count,
      log_name: text,
      event_code: text.optional(),
      correlation_uid: text.optional(),
      labels: z.array(text),
    }),
    actor: z.strictObject({
      app_name: text.optional(),
      app_uid: text.optional(),
      user,
      session: z.strictObject({ uid: text }).optional(),
    }),
    src_endpoint: z
      .strictObject({ ip: z.union([z.ipv4(), z.ipv6()]).optional(), name: text.optional() })
      .refine(({ ip, name }) => ip !== undefined || name !== undefined, 'at least one of ip, name'),
    api: z.strictObject({
      operation: text,
      service: z.strictObject({ name: text }),
      request: z.strictObject({ uid: text }),
      response: z.strictObject({ code: count.optional(), error: text.optional() }).optional(),
    }),
    http_request: z
      .strictObject({
        http_method: text,
        url: z.strictObject({ path: text }),
        uid: text.optional(),
        length: count.optional(),
      })
      .optional(),
    http_response: z.strictObject({ code: count, length: count.optional() }).optional(),
    resources: z
      .array(z.strictObject({ type: text, uid: text }))
      .min(1)
      .optional(),
    unmapped: z.record(z.string(), z.unknown()),
  })
  .refine(({ class_uid, activity_id, type_uid }) => type_uid === class_uid * 100 + activity_id, 'type_uid fits');
