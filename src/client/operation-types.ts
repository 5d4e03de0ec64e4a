import type {
  Artifact,
  CommandDone,
  Device,
  Group,
  ListOfOne,
  Location,
  PageQuery,
  SimCard,
  Subscription,
  Targets,
  Usage,
  User,
} from './models.ts';

/** What the operations that take a query take, by the id that they have on record. */
export interface Queries {
  /** `n`, code: the IMEI of one device to look for. */
  readonly 'device.list': PageQuery & { readonly n?: string | undefined };
  readonly 'group.list': PageQuery;
  readonly 'usage.list': PageQuery;
  readonly 'sim.list': PageQuery;
  readonly 'user.list': PageQuery;
  readonly 'artifact.list': PageQuery;
  /** assumed */
  readonly 'artifact.upload': { readonly name: string; readonly version: string; readonly type: string };
}

/** The bodies that they send. */
export interface Bodies {
  /** seen */
  readonly 'device.rename': { readonly name: string };
  /** doc; name: letters, digits, `_` and `-`; description: at most 300 characters */
  readonly 'group.create': { readonly name: string; readonly description: string };
  /** assumed */
  readonly 'group.move': { readonly devices: readonly string[] };
  /** assumed */
  readonly deploy: {
    readonly group: string;
    readonly type: 'config' | 'apk' | 'ota';
    readonly name: string;
    readonly version: string;
    readonly push?: boolean | undefined;
  };
  readonly 'notify.refresh': Targets;
  readonly 'notify.check': Targets;
  /** assumed */
  readonly 'notify.application': Targets & {
    readonly package: string;
    readonly command: string;
    readonly args?: unknown;
  };
  readonly 'notify.reboot': Targets;
  readonly 'notify.shutdown': Targets;
  readonly 'notify.wipe': Targets;
  readonly 'notify.refurbish': Targets;
  /** The artifact itself, as large as the gateway's `transfers.bytesMax` lets it be. */
  readonly 'artifact.upload': Blob | ArrayBuffer | Uint8Array;
}

/** What they answer; for lists, one item of them. */
export interface Answers {
  readonly 'device.list': Device;
  readonly 'device.get': ListOfOne<Device>;
  /** assumed */
  readonly 'device.rename': ListOfOne<Device>;
  readonly 'device.locate': Location;
  readonly 'group.list': Group;
  readonly 'group.get': Group;
  /** assumed */
  readonly 'group.create': Group;
  /** assumed */
  readonly 'group.delete': Group;
  /** assumed */
  readonly 'group.move': { readonly group: Group; readonly devices: readonly string[] };
  /** assumed */
  readonly deploy: Omit<Bodies['deploy'], 'push'> & { readonly push: boolean; readonly devices: readonly string[] };
  readonly 'notify.refresh': CommandDone;
  readonly 'notify.check': CommandDone;
  readonly 'notify.application': CommandDone;
  readonly 'notify.reboot': CommandDone;
  readonly 'notify.shutdown': CommandDone;
  readonly 'notify.wipe': CommandDone;
  readonly 'notify.refurbish': CommandDone;
  readonly 'subscription.get': Subscription;
  readonly 'usage.list': Usage;
  /** assumed */
  readonly 'sim.list': SimCard & { readonly device: string; readonly state: string };
  readonly 'user.list': User;
  readonly 'artifact.list': Artifact;
  /** assumed */
  readonly 'artifact.upload': Artifact;
}
