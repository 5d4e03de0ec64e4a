/** Whether a request target is one at which there are WebSockets; in absolute form too (RFC 9112 section 3.2.2). */
export function isXray(target: string): boolean {
  return /^(?:https?:\/\/[^/?#]*)?\/v1\/global\/xray\//i.test(target);
}
