/** A group of people and apps that share Mason keys. */
export interface Team {
  readonly id: string;
  /** `[a-z0-9-]`, 1 to 63 characters, begins with a letter or digit; unique. */
  readonly slug: string;
  readonly name: string;
  readonly createdAt: number;
  /** The team's data key, wrapped by the master key: bytes that the vault made and understands. */
  readonly sealedDataKey: Uint8Array;
}

export interface Teams {
  /** @throws GatewayError `conflict` when the slug is taken. */
  add(team: Team): Promise<void>;
  list(): Promise<Team[]>;
  findBySlug(slug: string): Promise<Team | undefined>;
  findById(id: string): Promise<Team | undefined>;
  /** False when there is none. */
  setName(id: string, name: string): Promise<boolean>;
  /** Removes the team with its keys, apps and tokens. False when there is none. */
  remove(id: string): Promise<boolean>;
}
