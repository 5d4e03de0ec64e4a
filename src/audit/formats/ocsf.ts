import type { ExportedEvent } from './exported-event.ts';
import { ocsfActivity, ocsfSeverity, ocsfStatus } from './ocsf-activity.ts';
import { ocsfActor, ocsfSource } from './ocsf-actor.ts';
import { asBytes, type ToldEvent, toldEvent } from './told-event.ts';

const CATEGORY_APPLICATION = 6;
const CLASS_API_ACTIVITY = 6003;
/** The version of the schema in which all attributes used here are there. */
const SCHEMA_VERSION = '1.3.0';

/** Fields for which OCSF has no place. */
const UNMAPPED = [
  'teamId',
  'team',
  'effect',
  'keyFingerprint',
  'errorSource',
  'joined',
  'attempts',
  'queueMs',
  'masonMs',
  'gatewayMs',
  'openMs',
  'closedBy',
  'closeCode',
  'closeReason',
  'closes',
  'details',
] as const;

/** An event as an OCSF API Activity (6003), a line of JSON; `docs/ocsf.md` says which field becomes what. */
export function ocsfEvent(event: ExportedEvent): string {
  const told = toldEvent(event);
  const { fields, actor, at } = told;
  const activity = ocsfActivity(fields);
  return asBytes(
    `${JSON.stringify({
      category_uid: CATEGORY_APPLICATION,
      class_uid: CLASS_API_ACTIVITY,
      activity_id: activity,
      type_uid: CLASS_API_ACTIVITY * 100 + activity,
      time: at,
      duration: durationOf(told),
      severity_id: ocsfSeverity(fields),
      status_id: ocsfStatus(fields),
      status_code: textOf(fields['status']),
      status_detail: textOf(fields['errorCode'] ?? fields['result']),
      metadata: metadataOf(event, told),
      actor: ocsfActor(actor),
      src_endpoint: ocsfSource(actor),
      api: apiOf(told),
      ...httpOf(told),
      resources: resourcesOf(event.targets),
      unmapped: {
        ...Object.fromEntries(UNMAPPED.map((field) => [field, fields[field]])),
        targets: Object(fields['targets']).sha256,
        isErased: event.line === undefined ? true : undefined,
      },
    })}\n`,
  );
}

function metadataOf({ chain, seq }: ExportedEvent, { fields, digest }: ToldEvent): object {
  return {
    version: SCHEMA_VERSION,
    product: { name: 'mason-gateway', vendor_name: 'mason-gateway' },
    uid: `${chain}/${seq}`,
    sequence: seq,
    log_name: chain,
    event_code: fields['kind'],
    correlation_uid: fields['requestId'],
    labels: [`sha256:${digest}`],
  };
}

function apiOf({ fields }: ToldEvent): object {
  const { act, operation, requestId, status, errorCode } = fields;
  return {
    operation: act ?? operation ?? 'unknown',
    service: { name: act === undefined ? 'mason' : 'mason-gateway' },
    request: { uid: requestId ?? 'unknown' },
    response: status === undefined && errorCode === undefined ? undefined : { code: status, error: errorCode },
  };
}

function httpOf({ fields }: ToldEvent): object {
  const { method, path, callerRequestId, bytesIn, bytesOut, status } = fields;
  if (method === undefined) return {};
  return {
    http_request: { http_method: method, url: { path }, uid: callerRequestId, length: bytesIn },
    http_response: status === undefined ? undefined : { code: status, length: bytesOut },
  };
}

/** Devices and groups: kind, name, kind, name … */
function resourcesOf(targets: readonly string[]): object[] | undefined {
  if (targets.length === 0) return undefined;
  return Array.from({ length: targets.length / 2 }, (_, place) => ({
    type: targets[place * 2],
    uid: targets[place * 2 + 1],
  }));
}

/** Whole milliseconds of the call, or undefined for what took none. */
function durationOf({ fields }: ToldEvent): number | undefined {
  if (fields['queueMs'] === undefined) return undefined;
  const parts = ['queueMs', 'masonMs', 'gatewayMs', 'openMs'].map((name) => Number(fields[name] ?? 0));
  return Math.round(parts.reduce((sum, part) => sum + part, 0));
}

function textOf(value: unknown): string | undefined {
  return value === undefined ? undefined : String(value);
}
