/** Locks of PostgreSQL's that belong to no row, by their first number of two; chosen to meet no one else's. */
export const LOCK_PARTITIONS = 0x6d_67_77_01;
export const LOCK_RUNS = 0x6d_67_77_02;
/** With the number of a chain: held, shared, by who writes it. */
export const LOCK_CHAIN = 0x6d_67_77_03;
