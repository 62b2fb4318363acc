// AWS Signature Version 4, by the signer of AWS's SDK for JavaScript.

import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';

export const SDK = "@smithy/signature-v4@5.7.5";
export const SCHEMES = ["aws-sigv4", "aws-sigv4-query", "aws-sigv4-s3", "aws-sigv4-query-s3"];
export const QUICK = true;

class Sha256 {
  constructor(key) {
    this.hash = key === undefined ? createHash('sha256') : createHmac('sha256', key);
  }
  update(data) {
    this.hash.update(data);
  }
  async digest() {
    return this.hash.digest();
  }
}

export async function sign(scheme, rng, hostile) {
  const link = scheme.includes('query');
  const method = link ? 'GET' : hostile.method(rng);
  const line = {
    method,
    url: `https://${hostile.host(rng)}${hostile.path(rng, { dots: rng.chance(0.3) })}`,
    headers: hostile.headers(rng),
    body: ['GET', 'HEAD'].includes(method) ? '' : hostile.bodyText(rng),
    key_id: `AKIA${hostile.word(rng)}`,
    secret: hostile.secret(rng, 40, 40),
  };
  const token = rng.chance(0.3) ? hostile.secret(rng, 50, 200) : undefined;
  return signed(scheme, line, hostile.query(rng), token, hostile.now(rng), rng.choice(['us-east-1', 'eu-west-3']));
}

/** A query as the SDK holds it: a name that comes twice has a list. */
function bag(pairs) {
  const found = {};
  for (const [name, value] of pairs) {
    if (!(name in found)) found[name] = value;
    else found[name] = [found[name], value].flat();
  }
  return found;
}

/** As the SDK's clients write a query. */
function queryString(query) {
  const quote = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return Object.entries(query)
    .flatMap(([name, value]) => [value].flat().map((one) => `${quote(name)}=${quote(one)}`))
    .join('&');
}

async function signed(scheme, line, pairs, token, now, region, service = 'service') {
  const [link, s3] = [scheme.includes('query'), scheme.includes('s3')];
  const [, protocol, host, path] = /^(https?:)\/\/([^/]*)(.*)$/.exec(line.url);
  const signer = new SignatureV4({
    credentials: { accessKeyId: line.key_id, secretAccessKey: line.secret, sessionToken: token },
    region,
    service: s3 ? 's3' : service,
    sha256: Sha256,
    uriEscapePath: !s3,
    applyChecksum: s3,
  });
  const request = {
    method: line.method,
    protocol,
    hostname: host.split(':')[0],
    path,
    query: bag(pairs),
    headers: { host, ...Object.fromEntries(line.headers) },
    body: line.body || undefined,
  };
  // As S3's presigner does; it is moved into the query.
  if (link && s3) request.headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD';
  const date = { signingDate: new Date(now * 1000) };
  // It would move the `X-` fields of a link into the query, which makes another request of it.
  const kept = { unhoistableHeaders: new Set(line.headers.map(([name]) => name.toLowerCase())) };
  const made = link ? await signer.presign(request, { ...date, ...kept, expiresIn: 900 }) : await signer.sign(request, date);
  const query = queryString(made.query);
  return {
    ...line,
    url: `${protocol}//${host}${made.path}${query ? `?${query}` : ''}`,
    headers: Object.entries(made.headers),
    now,
    vars: { region, service: s3 ? 's3' : service },
  };
}
