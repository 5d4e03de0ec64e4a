import type { Call } from '../../call/call.ts';
import { GatewayError } from '../../domain/errors.ts';

/**
 * Listens to the caller's connection while there is no session: it may leave, and has nothing to say yet (RFC 6455 section
 * 4.1). Ends with its disposal.
 */
export function quietCaller(call: Call): Disposable {
  const { socket } = call.req;
  const onData = (): void => {
    call.abort(new GatewayError('invalid_request', 'expected nothing from the caller before the WebSocket is open'));
  };
  const onEnd = (): void => {
    call.abort(new GatewayError('caller_gone', 'the caller hung up'));
  };
  socket.on('data', onData);
  socket.on('end', onEnd);
  // It may have left already, while it was asked who it is.
  if (socket.readableEnded) onEnd();
  return {
    [Symbol.dispose]() {
      socket.off('data', onData);
      socket.off('end', onEnd);
    },
  };
}
