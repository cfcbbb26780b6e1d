// What people type from a carrier's letter, as the box wants it.

/** A server as it stands in letters: `sip:` in front and a port behind are understood. What is none goes as it is: the box says why not. */
export function server(typed: string): { host: string; port?: number } {
  const parts = /^(?:sips?:)?([^\s:/]+)(?::(\d{1,5}))?$/i.exec(typed.trim());
  if (!parts) return { host: typed.trim() };
  const [, host = '', port] = parts;
  return port ? { host, port: Number(port) } : { host };
}

/** An own number with its country code, without what people put between the digits; null when it is none. */
export function ownNumber(typed: string): string | null {
  const bare = typed.replace(/\(0\)|[\s./()\u2010-\u2015-]/g, '').replace(/^00/, '+');
  return /^\+[1-9]\d{4,16}$/.test(bare) ? bare : null;
}
