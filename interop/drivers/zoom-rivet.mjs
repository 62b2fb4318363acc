// Zoom's webhooks, by Zoom's own framework, which only verifies.
//
// It signs what `JSON.stringify` makes of the body, so the driver writes bodies that way; Zoom does.

import { createHmac } from 'node:crypto';
import { AwsLambdaReceiver } from '@zoom/rivet/users';

export const SDK = "@zoom/rivet@0.4.0";
export const SCHEMES = ["zoom-webhook"];

export async function sign(scheme, rng, hostile) {
  return signed(unsigned(scheme, rng, hostile));
}

export function unsigned(scheme, rng, hostile) {
  return {
    method: 'POST',
    url: `https://${hostile.host(rng)}${hostile.path(rng)}`,
    headers: [['Content-Type', 'application/json']],
    // Written and read once more, because numbers as names change their place.
    body: JSON.stringify(JSON.parse(JSON.stringify({ ...hostile.json(rng), event: 'meeting.started' }))),
    secret: hostile.secret(rng),
    now: hostile.now(rng),
  };
}

async function signed(line) {
  const mac = createHmac('sha256', line.secret).update(`v0:${line.now}:${line.body}`).digest('hex');
  const more = [['x-zm-request-timestamp', String(line.now)], ['x-zm-signature', `v0=${mac}`]];
  const done = { ...line, headers: [...line.headers, ...more] };
  if (await verify('zoom-webhook', done)) return done;
  throw new Error(`the library refuses what Zoom's document says: ${JSON.stringify(done)}`);
}

export async function verify(scheme, line) {
  const [debug, error] = [console.debug, console.error];
  console.debug = console.error = () => {};
  try {
    const receiver = new AwsLambdaReceiver({ webhooksSecretToken: line.secret });
    receiver.init({ eventEmitter: { emit: async () => {} } });
    const event = { body: line.body, headers: Object.fromEntries(line.headers), isBase64Encoded: false };
    return (await receiver.start()(event, {})).statusCode === 200;
  } finally {
    [console.debug, console.error] = [debug, error];
  }
}

export async function fixed() {
  const bodies = {
    started: '{"event":"meeting.started","payload":{"account_id":"AAAAAABBBB","object":{"topic":"My Meeting"}}}',
    unicode: '{"event":"meeting.ended","payload":{"object":{"topic":"Zoë 😀"}},"event_ts":1626230691572}',
  };
  return Promise.all(
    Object.entries(bodies).map(([id, body]) =>
      signed({
        id: `zoom-rivet-${id}`,
        source: `${SDK}, AwsLambdaReceiver`,
        expect: 'verified',
        covered: ['body', 'header.x-zm-request-timestamp', 'header.x-zm-signature', 'secret'],
        open: ['method', 'scheme', 'host', 'path', 'query', 'header.content-type'],
        method: 'POST',
        url: 'https://example.com/zoom',
        headers: [['Content-Type', 'application/json']],
        body,
        secret: 'n0tTheRealSecretToken-A',
        now: 1658940994,
      }),
    ),
  );
}
