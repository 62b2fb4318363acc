// Stripe's webhooks, by Stripe's library for Node.

import Stripe from 'stripe';

export const SDK = "stripe@23.1.0";
export const SCHEMES = ["stripe-webhook"];

const { webhooks } = new Stripe('sk_test_none');

export function sign(scheme, rng, hostile) {
  const line = unsigned(scheme, rng, hostile);
  const header = webhooks.generateTestHeaderString({ payload: line.body, secret: line.secret, timestamp: line.now });
  return { ...line, headers: [...line.headers, ['Stripe-Signature', header]] };
}

export function unsigned(scheme, rng, hostile) {
  return {
    method: 'POST',
    url: `https://${hostile.host(rng)}${hostile.path(rng)}`,
    headers: [['Content-Type', 'application/json; charset=utf-8']],
    // It accepts no empty payload; Stripe sends none.
    body: hostile.bodyText(rng) || '{}',
    secret: `whsec_${hostile.word(rng, 32)}`,
    now: hostile.now(rng),
  };
}

export function verify(scheme, line) {
  const [, header] = line.headers.find(([name]) => name.toLowerCase() === 'stripe-signature');
  try {
    return webhooks.signature.verifyHeader(line.body, header, line.secret, 300, undefined, line.now * 1000);
  } catch (error) {
    if (error.type !== 'StripeSignatureVerificationError') throw error;
    return false;
  }
}
