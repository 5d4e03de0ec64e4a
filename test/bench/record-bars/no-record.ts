import { registerHooks } from 'node:module';

/**
 * Loaded before a gateway, it gives it a record that keeps nothing: for the price of the real one. The product has no such
 * setting.
 */
const SUBSTITUTE = new URL('record-of-nothing.ts', import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    const isAsked = specifier === './audit/open-record.ts' && context.parentURL?.endsWith('/src/core.ts') === true;
    return isAsked ? { url: SUBSTITUTE, format: 'module-typescript', shortCircuit: true } : next(specifier, context);
  },
});
