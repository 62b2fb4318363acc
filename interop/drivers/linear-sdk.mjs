// Linear's webhooks, by Linear's library, which only verifies.

import { createHmac } from 'node:crypto';
import { LinearWebhookClient } from '@linear/sdk/webhooks';

export const SDK = "@linear/sdk@98.0.0";
export const SCHEMES = ["linear-webhook"];

export function sign(scheme, rng, hostile) {
  return signed(unsigned(scheme, rng, hostile));
}

export function unsigned(scheme, rng, hostile) {
  const now = hostile.now(rng);
  const members = { ...hostile.json(rng), webhookTimestamp: now * 1000 + rng.int(0, 999), action: 'create' };
  return {
    method: 'POST',
    url: `https://${hostile.host(rng)}${hostile.path(rng)}`,
    headers: [['Content-Type', 'application/json'], ['Linear-Event', 'Issue']],
    body: JSON.stringify(members, null, rng.choice([0, 2])),
    secret: hostile.secret(rng),
    now,
  };
}

function signed(line) {
  const mac = createHmac('sha256', line.secret).update(line.body).digest('hex');
  const done = { ...line, headers: [...line.headers, ['Linear-Signature', mac]] };
  if (verify('linear-webhook', done)) return done;
  throw new Error(`the library refuses what Linear's document says: ${JSON.stringify(done)}`);
}

export function verify(scheme, line) {
  const [, mac] = line.headers.find(([name]) => name.toLowerCase() === 'linear-signature');
  const clock = Date.now;
  Date.now = () => line.now * 1000;
  try {
    return new LinearWebhookClient(line.secret).verify(Buffer.from(line.body), mac);
  } catch (error) {
    if (/signature|timestamp/.test(error.message)) return false;
    throw error;
  } finally {
    Date.now = clock;
  }
}

export function fixed() {
  const bodies = {
    issue: '{"action":"create","type":"Issue","data":{"title":"A"},"webhookTimestamp":1714566896123}',
    unicode: '{"webhookTimestamp": 1714566890000, "data":{"title":"Zoë 😀"}}',
  };
  return Object.entries(bodies).map(([id, body]) =>
    signed({
      id: `linear-sdk-${id}`,
      source: `${SDK}, LinearWebhookClient.verify`,
      expect: 'verified',
      covered: ['body', 'json', 'json.webhookTimestamp', 'header.linear-signature', 'secret'],
      open: ['method', 'scheme', 'host', 'path', 'query', 'header.linear-event', 'header.content-type'],
      method: 'POST',
      url: 'https://example.com/hooks',
      headers: [['Content-Type', 'application/json'], ['Linear-Event', 'Issue']],
      body,
      secret: 'lin_wh_5u6FbRt1G3yKz',
      now: 1714566896,
    }),
  );
}
