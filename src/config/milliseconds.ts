import { z } from 'zod';

/** A setting in milliseconds, between two bounds. */
export const ms = (min: number, max: number) => z.int().min(min).max(max);
