// GitHub's webhooks, by the library that GitHub maintains.

import { sign as mac, verify as accepts } from '@octokit/webhooks-methods';

export const SDK = "@octokit/webhooks-methods@6.0.0";
export const SCHEMES = ["github-webhook"];
export const QUICK = true;

export async function sign(scheme, rng, hostile) {
  return signed(unsigned(scheme, rng, hostile));
}

export function unsigned(scheme, rng, hostile) {
  return {
    method: 'POST',
    url: `https://${hostile.host(rng)}${hostile.path(rng)}`,
    headers: [['Content-Type', 'application/json'], ['X-GitHub-Event', 'push']],
    // The library signs no empty payload; GitHub sends none.
    body: hostile.bodyText(rng) || '{}',
    secret: hostile.secret(rng),
    now: hostile.now(rng),
  };
}

async function signed(line) {
  const signature = await mac(line.secret, line.body);
  return { ...line, headers: [...line.headers, ['X-Hub-Signature-256', signature]] };
}

export async function verify(scheme, line) {
  const [, signature] = line.headers.find(([name]) => name.toLowerCase() === 'x-hub-signature-256');
  return accepts(line.secret, line.body, signature);
}

export async function fixed() {
  const bodies = { json: '{"action":"opened","number":7}', unicode: '{"title":"Zoë 😀", "n":1.0}', form: 'payload=%7B%22a%22%3A1%7D' };
  return Promise.all(
    Object.entries(bodies).map(([id, body]) =>
      signed({
        id: `octokit-${id}`,
        source: `${SDK}, sign`,
        expect: 'verified',
        covered: ['body', 'header.x-hub-signature-256', 'secret'],
        open: ['method', 'scheme', 'host', 'path', 'query', 'header.x-github-event', 'header.x-github-delivery'],
        method: 'POST',
        url: 'https://example.com/hooks/github',
        headers: [['Content-Type', 'application/json'], ['X-GitHub-Event', 'pull_request'], ['X-GitHub-Delivery', '72d3162e-cc78-11e3-81ab-4c9367dc0958']],
        body,
        secret: "It's a Secret to Everybody",
        now: 1714566896,
      }),
    ),
  );
}
