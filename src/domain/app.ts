/** A program of a team's that calls through the gateway; shares of the line are by app. */
export interface App {
  readonly id: string;
  readonly teamId: string;
  /** `[a-z0-9-]`, 1 to 63 characters; unique within the team. */
  readonly name: string;
  /** Share of the line beside other waiting apps, 1 to 100; default 1. */
  readonly weight: number;
  readonly createdAt: number;
}

export interface Apps {
  /** @throws GatewayError `conflict` when the team has an app of that name, `not_found` when the team is gone. */
  add(app: App): Promise<void>;
  listByTeam(teamId: string): Promise<App[]>;
  findByName(teamId: string, name: string): Promise<App | undefined>;
  findById(id: string): Promise<App | undefined>;
  setWeight(id: string, weight: number): Promise<boolean>;
  /** Removes the app with its tokens. False when there is none. */
  remove(id: string): Promise<boolean>;
}
