// A client as a stranger would write it from docs/protocol.md alone, with nothing but what Node brings along.

import { createHash, createHmac } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const COVERED = ['@method', '@path', 'content-digest', 'idempotency-key', 'remediation-code', 'remediation-opening'];

function base32(text) {
  let bits = '';
  for (const character of text) bits += ALPHABET.indexOf(character).toString(2).padStart(5, '0');
  return Buffer.from(bits.slice(0, 256).match(/.{8}/g).map((byte) => parseInt(byte, 2)));
}

function lp(...parts) {
  return Buffer.concat(parts.flatMap((part) => {
    const bytes = Buffer.isBuffer(part) ? part : Buffer.from(String(part), 'utf8');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return [length, bytes];
  }));
}

const hmac = (key, text) => createHmac('sha256', key).update(text).digest();

function code(seed, window) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(window));
  const hash = hmac(seed, counter);
  const number = (hash.readUInt32BE(hash[31] & 0x0f) & 0x7fffffff) % 1_000_000;
  return String(number).padStart(6, '0');
}

export function derive({ record }) {
  const { deployment: d, window: w, secret } = JSON.parse(record);
  const seed = base32(secret);
  const opening = hmac(seed, lp('remediator/v1/open', d, w));
  const digits = code(seed, w);
  return {
    code: digits,
    proofKey: hmac(seed, lp('remediator/v1/proof', d, w)).toString('hex'),
    opening: opening.toString('hex'),
    gateValue: hmac(opening, lp('remediator/v1/gate', d, w)).toString('hex'),
    check: createHash('sha256').update(lp('remediator/v1/check', d, w, opening, Buffer.from(digits))).digest('hex'),
  };
}

export function call({ record, method, path, body, key, created }) {
  const derived = derive({ record });
  const digest = createHash('sha256').update(Buffer.from(body, 'base64')).digest('base64');
  const values = {
    '@method': method,
    '@path': path,
    'content-digest': `sha-256=:${digest}:`,
    'idempotency-key': key,
    'remediation-code': derived.code,
    'remediation-opening': derived.opening,
  };
  const covered = COVERED.map((name) => `"${name}"`).join(' ');
  const params = `(${covered});created=${created};keyid="${JSON.parse(record).window}";tag="remediator/v1"`;
  const lines = COVERED.map((name) => `"${name}": ${values[name]}`);
  const base = [...lines, `"@signature-params": ${params}`].join('\n');
  const signature = hmac(Buffer.from(derived.proofKey, 'hex'), base).toString('base64');
  const fields = Object.fromEntries(Object.entries(values).filter(([name]) => !name.startsWith('@')));
  return { ...fields, 'signature-input': `call=${params}`, signature: `call=:${signature}:` };
}
