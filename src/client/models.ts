// What Mason's API takes and gives, by operation. Like the rows of the gateway's table, each is marked with its standing:
// "doc" (Mason documents it), "seen" (in somebody's client), "assumed" (nobody states it; the simulator answers like this).
// Mason may add fields at any time, and does not say which it may leave out: look before you build on one.

/** doc */
export interface Device {
  readonly id: string;
  readonly self: string;
  readonly serialnumber: string;
  readonly imei: string;
  readonly name: string;
  readonly family: string;
  readonly createdAt: string;
  readonly lastcheckin: string;
  readonly group: { readonly name: string; readonly self: string };
  readonly apps: readonly { readonly name: string; readonly version: string }[];
  /** `level`: per cent, as a text. */
  readonly battery: { readonly level: string };
  readonly connection: DeviceConnection;
  readonly os: {
    readonly configuration: {
      readonly device: string;
      readonly product: string;
      readonly project: string;
      readonly version: string;
    };
    readonly masonOS: { readonly incremental: string; readonly release: string };
  };
  readonly status: { readonly osUpdated: boolean; readonly appsUpdated: boolean; readonly projectUpdated: boolean };
}

/** doc */
export interface DeviceConnection {
  readonly dataUsage: {
    readonly appsDataUsage: readonly {
      readonly packageNames: readonly string[];
      readonly uid: number;
      readonly usageCycles: readonly UsageCycle[];
    }[];
    readonly usageCycles: readonly UsageCycle[];
  };
  readonly bluetooth: {
    readonly enabled: boolean;
    readonly macAddress: string;
    readonly name: string;
    readonly pairedDevices: readonly string[];
  };
  readonly sim: readonly SimCard[];
  readonly wifi: {
    readonly adapterMacAddress: string;
    readonly bssid: string;
    readonly enabled: boolean;
    readonly ipaddress: string;
    readonly ssid: string;
  };
}

/** doc */
export interface UsageCycle {
  readonly startTime: string;
  readonly endTime: string;
  readonly usages: readonly { readonly type: string; readonly bytesReceived: number; readonly bytesSent: number }[];
}

/** doc, as part of a device */
export interface SimCard {
  readonly carrier: string;
  readonly countryiso: string;
  readonly iccid: string;
  readonly mcc: string;
  readonly mnc: string;
}

/** doc */
export interface Group {
  readonly name: string;
  readonly description: string;
  readonly createdAt: string;
  readonly self: string;
}

/** doc; `value` and `target` are bytes a month */
export type Subscription = { readonly accountID: string } & (
  | { readonly type: 'device_data_pool'; readonly typeSpecific: { readonly value: number } }
  | { readonly type: 'pay_as_you_go'; readonly typeSpecific: { readonly target: number } }
);

/** doc; where it is read is assumed */
export interface Usage {
  readonly total: number;
  readonly upload: number;
  readonly download: number;
  readonly unit: 'bytes';
  readonly date: string;
}

/** assumed */
export interface Location {
  readonly latitude: number;
  readonly longitude: number;
  /** Metres. */
  readonly accuracy: number;
  readonly recordedAt: string;
}

/** assumed */
export interface User {
  readonly id: string;
  readonly email: string;
  readonly role: string;
  readonly createdAt: string;
}

/** assumed */
export interface Artifact {
  readonly id: number | string;
  readonly name: string;
  readonly type: string;
  readonly version: string;
  readonly createdAt: string;
}

/** seen: a list of one around a single device */
export interface ListOfOne<Item> {
  readonly data: readonly Item[];
}

/** doc; which of the two keys Mason heeds when both are given is not known */
export type PageQuery = {
  /** How many items a page has at most. */
  readonly limit?: number | undefined;
  /** Opaque, from the page before: `nextPage`. */
  readonly after?: string | undefined;
  /** Opaque, from the page after: `prevPage`. */
  readonly before?: string | undefined;
};

/** assumed: some devices, or all of a group */
export type Targets =
  | { readonly devices: readonly string[]; readonly group?: never }
  | { readonly group: string; readonly devices?: never };

/** assumed */
export interface CommandDone {
  readonly type: string;
  readonly devices: readonly string[];
}
