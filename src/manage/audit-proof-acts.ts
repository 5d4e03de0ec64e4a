import { z } from 'zod';
import { EXPORT_FORMATS, type ExportFormatName } from '../audit/export/export-format.ts';
import type { ExportAsked, ExportPiece } from '../audit/export/export-record.ts';
import { signedExport } from '../audit/export/signed-export.ts';
import { publicKeyPem } from '../audit/signing-key.ts';
import type { Signer, SigningKey } from '../domain/checkpoint.ts';
import { GatewayError } from '../domain/errors.ts';
import { type Act, type ActDeps, changing, looking, type TextAnswer, telling } from './act.ts';
import { filterFields, filterOf } from './audit-filter.ts';

/** A key that signs the record, without its private half. */
export interface SigningKeyView {
  readonly id: string;
  /** ISO time. */
  readonly createdAt: string;
  /** Id of the key before it, which signed it; null for the first. */
  readonly signedBy: string | null;
  /** Whether it signs now. */
  readonly current: boolean;
  /** The public key, PEM. */
  readonly pem: string;
}

export interface AuditProofActs {
  /**
   * The fields of a filter as for `audit.query`, and `{format?}`: all that matches, as text, oldest run first. Without a filter
   * it verifies as chains.
   */
  'audit.export': Act<TextAnswer>;
  /** Keys that sign checkpoints and exports, oldest first. */
  'audit.keys': Act<{ data: readonly SigningKeyView[] }>;
  /** A new key, signed by the one before it, signs from now on. */
  'audit.key.rotate': Act<SigningKeyView>;
}

export interface AuditProofDeps extends ActDeps {
  readonly exported: (asked: ExportAsked) => AsyncIterable<ExportPiece>;
  readonly signer: Signer;
}

/** Each reads as fast as it can. */
const EXPORTS_AT_ONCE_MAX = 4;

export function auditProofActs(deps: AuditProofDeps): AuditProofActs {
  const { signer, clock } = deps;
  const formats = Object.keys(EXPORT_FORMATS) as [ExportFormatName, ...ExportFormatName[]];
  let underWay = 0;

  const ensureRoom = (): void => {
    if (underWay < EXPORTS_AT_ONCE_MAX) return;
    throw new GatewayError('queue_full', `expected at most ${EXPORTS_AT_ONCE_MAX} exports at once: try again later`);
  };

  async function* pieces(asked: ExportAsked) {
    // Again, since many may have been let in before the first of them began.
    ensureRoom();
    underWay += 1;
    try {
      yield* signedExport(deps.exported(asked), signer);
    } finally {
      underWay -= 1;
    }
  }

  return {
    'audit.export': telling(
      deps,
      {
        name: 'audit.export',
        need: 'audit',
        input: z.strictObject({
          ...filterFields(clock),
          format: z.enum(formats, { error: `one of ${formats.join(', ')}` }).default('ndjson'),
        }),
      },
      async ({ format, ...given }, scene) => {
        ensureRoom();
        const filter = await filterOf(given, scene);
        await signer.refresh();
        return {
          contentType: EXPORT_FORMATS[format].contentType,
          pieces: () => pieces({ format, filter, at: clock.epochMs(), keys: signer.keys() }),
        };
      },
    ),

    'audit.keys': looking(deps, { name: 'audit.keys', need: 'audit', input: z.strictObject({}) }, async () => {
      await signer.refresh();
      const data = signer.keys().map(viewOf);
      return { details: { keys: data.length }, answer: { data } };
    }),

    'audit.key.rotate': changing(
      deps,
      { name: 'audit.key.rotate', need: 'operator', input: z.strictObject({}) },
      async () => ({
        details: { before: signer.keys().at(-1)?.id ?? 'none' },
        carryOut: async () => {
          const made = await signer.rotate();
          return viewOf(made, 0, [made]);
        },
      }),
    ),
  };
}

function viewOf(key: SigningKey, place: number, all: readonly SigningKey[]): SigningKeyView {
  return {
    id: key.id,
    createdAt: new Date(key.createdAt).toISOString(),
    signedBy: key.signedBy?.keyId ?? null,
    current: place === all.length - 1,
    pem: publicKeyPem(key),
  };
}
