import type { WebSocket } from 'ws';
import type { Upgrade } from './serve-xray.ts';
import type { XrayDevices } from './xray-devices.ts';

/** Bytes that lie unsent before the device stops reading. */
const UNSENT_BYTES_MAX = 1_048_576;

/** The close code with which Mason says that the device does not answer (RFC 6455's registry: "try again later"). */
const DEVICE_AWAY = 1013;

/**
 * A device behind a WebSocket: text frames are control (`device:ok`, `device:fail`; `client:ok`, `client:fail`), binary ones come
 * back as they are. Settles when the connection is one.
 */
export async function echo(
  devices: XrayDevices,
  device: string,
  { request, response, tap, more }: Upgrade,
): Promise<void> {
  // Most simulators never see an X-Ray session.
  const { WebSocketServer } = await import('ws');
  const { socket } = request;
  const state = devices.state(device);
  response.detachSocket(socket);
  tap.leave();
  const server = new WebSocketServer({ noServer: true });
  server.handleUpgrade(request, socket, more, (session) => {
    devices.begin(device);
    session.on('close', () => devices.end(device));
    session.on('error', () => session.terminate());
    if (state === 'absent') session.close(DEVICE_AWAY, 'the device does not answer');
    else if (state === 'failing') session.send('device:fail', () => session.close(1011, 'the device failed'));
    else serve(session);
  });
}

function serve(session: WebSocket): void {
  session.send('device:ok');
  session.on('message', (data, isBinary) => {
    if (!isBinary) {
      if (String(data) === 'client:fail') session.close(1000);
      return;
    }
    session.send(data, { binary: true }, () => {
      if (session.isPaused && session.bufferedAmount < UNSENT_BYTES_MAX) session.resume();
    });
    if (session.bufferedAmount >= UNSENT_BYTES_MAX) session.pause();
  });
}
