import type { Signer } from '../../domain/checkpoint.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { ExportPiece } from './export-record.ts';
import { signedLine } from './ndjson.ts';

/** An export with its manifest signed, as text of which each character is a byte. */
export async function* signedExport(
  pieces: AsyncIterable<ExportPiece>,
  signer: Pick<Signer, 'sign'>,
): AsyncIterable<{ readonly text: string; readonly events: number }> {
  for await (const piece of pieces) {
    if (piece.kind === 'text') {
      yield { text: piece.text, events: piece.events };
    } else if (piece.manifest !== undefined) {
      const text = canonicalJson(piece.manifest);
      yield { text: signedLine('manifest', { text, ...signer.sign(text) }), events: 0 };
    }
  }
}
