// Written by "npm run client:generate" from the table of operations: change that one.

import type { Answers, Bodies, Queries } from './operation-types.ts';
import type { CallOptions, Confirmed } from './options.ts';
import type { Paged } from './paged.ts';
import type { Wire } from './wire.ts';

/** Mason's API, by what it is about. */
export function operationsOver(wire: Wire) {
  return {
    devices: {
      /** `GET /v1/default/device`, `device.list`. Reads; scope `fleet:read`. Standing: doc. */
      list(query: Queries['device.list'] = {}, options?: CallOptions): Paged<Answers['device.list']> {
        return wire.pages('/v1/default/device', query, options);
      },
      /** `GET /v1/default/device/{id}`, `device.get`. Reads; scope `fleet:read`. Standing: seen. */
      get(id: string, options?: CallOptions): Promise<Answers['device.get']> {
        return wire.ask('GET', '/v1/default/device/{id}', { parameters: { id } }, options);
      },
      /** `POST /v1/default/device/{id}`, `device.rename`. Changes; scope `fleet:manager`. Standing: seen. */
      rename(id: string, body: Bodies['device.rename'], options?: CallOptions): Promise<Answers['device.rename']> {
        return wire.ask('POST', '/v1/default/device/{id}', { parameters: { id }, body }, options);
      },
      /** `GET /v1/default/device/{id}/location`, `device.locate`. Reads; scope `fleet:locate`. Standing: assumed. */
      locate(id: string, options?: CallOptions): Promise<Answers['device.locate']> {
        return wire.ask('GET', '/v1/default/device/{id}/location', { parameters: { id } }, options);
      },
    },
    groups: {
      /** `GET /v1/default/group`, `group.list`. Reads; scope `fleet:read`. Standing: doc. */
      list(query: Queries['group.list'] = {}, options?: CallOptions): Paged<Answers['group.list']> {
        return wire.pages('/v1/default/group', query, options);
      },
      /** `GET /v1/default/group/{name}`, `group.get`. Reads; scope `fleet:read`. Standing: doc. */
      get(name: string, options?: CallOptions): Promise<Answers['group.get']> {
        return wire.ask('GET', '/v1/default/group/{name}', { parameters: { name } }, options);
      },
      /** `POST /v1/default/group`, `group.create`. Changes; scope `fleet:admin`. Standing: doc. */
      create(body: Bodies['group.create'], options?: CallOptions): Promise<Answers['group.create']> {
        return wire.ask('POST', '/v1/default/group', { body }, options);
      },
      /** `DELETE /v1/default/group/{name}`, `group.delete`. Changes; scope `fleet:admin`. Standing: doc. */
      delete(name: string, options?: CallOptions): Promise<Answers['group.delete']> {
        return wire.ask('DELETE', '/v1/default/group/{name}', { parameters: { name } }, options);
      },
      /** `POST /v1/default/group/{name}/device`, `group.move`. Changes; scope `fleet:move`. Standing: assumed. */
      move(name: string, body: Bodies['group.move'], options?: CallOptions): Promise<Answers['group.move']> {
        return wire.ask('POST', '/v1/default/group/{name}/device', { parameters: { name }, body }, options);
      },
    },
    /** `POST /v1/default/deploy`, `deploy`. Disrupts; scope `fleet:deploy`. Standing: assumed. */
    deploy(body: Bodies['deploy'], options?: CallOptions): Promise<Answers['deploy']> {
      return wire.ask('POST', '/v1/default/deploy', { body }, options);
    },
    notify: {
      /** `POST /v1/default/notify/refresh`, `notify.refresh`. Changes; scope `notify:refresh`. Standing: assumed. */
      refresh(body: Bodies['notify.refresh'], options?: CallOptions): Promise<Answers['notify.refresh']> {
        return wire.ask('POST', '/v1/default/notify/refresh', { body }, options);
      },
      /** `POST /v1/default/notify/check`, `notify.check`. Changes; scope `notify:check`. Standing: assumed. */
      check(body: Bodies['notify.check'], options?: CallOptions): Promise<Answers['notify.check']> {
        return wire.ask('POST', '/v1/default/notify/check', { body }, options);
      },
      /** `POST /v1/default/notify/application`, `notify.application`. Changes; scope `notify:application`. Standing: assumed. */
      application(body: Bodies['notify.application'], options?: CallOptions): Promise<Answers['notify.application']> {
        return wire.ask('POST', '/v1/default/notify/application', { body }, options);
      },
      /** `POST /v1/default/notify/reboot`, `notify.reboot`. Disrupts; scope `notify:reboot`. Standing: assumed. */
      reboot(body: Bodies['notify.reboot'], options?: CallOptions): Promise<Answers['notify.reboot']> {
        return wire.ask('POST', '/v1/default/notify/reboot', { body }, options);
      },
      /** `POST /v1/default/notify/shutdown`, `notify.shutdown`. Disrupts; scope `notify:shutdown`. Standing: assumed. */
      shutdown(body: Bodies['notify.shutdown'], options?: CallOptions): Promise<Answers['notify.shutdown']> {
        return wire.ask('POST', '/v1/default/notify/shutdown', { body }, options);
      },
      /** `POST /v1/default/notify/wipe`, `notify.wipe`. Cannot be undone; scope `notify:wipe`. Standing: assumed. */
      wipe(body: Bodies['notify.wipe'], options: CallOptions & Confirmed<'wipe'>): Promise<Answers['notify.wipe']> {
        return wire.ask('POST', '/v1/default/notify/wipe', { body }, options);
      },
      /** `POST /v1/default/notify/refurbish`, `notify.refurbish`. Cannot be undone; scope `notify:refurbish`. Standing: assumed. */
      refurbish(
        body: Bodies['notify.refurbish'],
        options: CallOptions & Confirmed<'refurbish'>,
      ): Promise<Answers['notify.refurbish']> {
        return wire.ask('POST', '/v1/default/notify/refurbish', { body }, options);
      },
    },
    subscription: {
      /** `GET /v1/default/subscription`, `subscription.get`. Reads; scope `connect:read`. Standing: doc. */
      get(options?: CallOptions): Promise<Answers['subscription.get']> {
        return wire.ask('GET', '/v1/default/subscription', {}, options);
      },
    },
    usage: {
      /** `GET /v1/default/usage`, `usage.list`. Reads; scope `connect:read`. Standing: assumed. */
      list(query: Queries['usage.list'] = {}, options?: CallOptions): Paged<Answers['usage.list']> {
        return wire.pages('/v1/default/usage', query, options);
      },
    },
    sims: {
      /** `GET /v1/default/sim`, `sim.list`. Reads; scope `connect:read`. Standing: assumed. */
      list(query: Queries['sim.list'] = {}, options?: CallOptions): Paged<Answers['sim.list']> {
        return wire.pages('/v1/default/sim', query, options);
      },
    },
    users: {
      /** `GET /v1/default/user`, `user.list`. Reads; scope `user:read`. Standing: assumed. */
      list(query: Queries['user.list'] = {}, options?: CallOptions): Paged<Answers['user.list']> {
        return wire.pages('/v1/default/user', query, options);
      },
    },
    artifacts: {
      /** `GET /v1/default/artifact`, `artifact.list`. Reads; scope `registry:read`. Standing: assumed. */
      list(query: Queries['artifact.list'] = {}, options?: CallOptions): Paged<Answers['artifact.list']> {
        return wire.pages('/v1/default/artifact', query, options);
      },
      /** `POST /v1/default/artifact`, `artifact.upload`. Changes; scope `registry:admin`. Standing: assumed. */
      upload(
        body: Bodies['artifact.upload'],
        query: Queries['artifact.upload'],
        options?: CallOptions,
      ): Promise<Answers['artifact.upload']> {
        return wire.ask('POST', '/v1/default/artifact', { body, query }, options);
      },
    },
  };
}
