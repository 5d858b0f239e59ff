// Ask another implementation: `http-message-signatures` from npm signs and verifies, `stranger.mjs` calls.
// Reads {"sign": [...], "verify": [...], "derive": [...], "call": [...]} and writes the answers in the same order.

import { readFileSync } from 'node:fs';
import library from 'http-message-signatures';
import * as stranger from './stranger.mjs';

const { createSigner, createVerifier, httpbis } = library;
const FAR = new Date('9999-12-31T00:00:00Z');

async function sign({ key, fields, params, values, ...message }) {
  const signed = await httpbis.signMessage(
    {
      key: createSigner(Buffer.from(key, 'hex'), 'hmac-sha256'),
      name: 'node',
      fields,
      params,
      paramValues: { ...values, created: new Date(values.created * 1000) },
    },
    message,
  );
  return signed.headers;
}

async function verify({ key, keyid, required, ...message }) {
  const verifier = {
    id: keyid,
    algs: ['hmac-sha256'],
    verify: createVerifier(Buffer.from(key, 'hex'), 'hmac-sha256'),
  };
  const keyLookup = async (params) => (params.keyid === keyid ? verifier : null);
  try {
    return await httpbis.verifyMessage({ keyLookup, all: true, notAfter: FAR, requiredFields: required }, message);
  } catch (error) {
    return error.name;
  }
}

const asked = JSON.parse(readFileSync(0, 'utf8'));
const answered = {
  sign: await Promise.all(asked.sign.map(sign)),
  verify: await Promise.all(asked.verify.map(verify)),
  derive: asked.derive.map(stranger.derive),
  call: asked.call.map(stranger.call),
};
process.stdout.write(JSON.stringify(answered));
