// AWS Signature Version 4, by aws4, which many tools for Node use in the place of AWS's SDK.

import aws4 from 'aws4';

export const SDK = "aws4@1.13.2";
export const SCHEMES = ["aws-sigv4", "aws-sigv4-query", "aws-sigv4-s3", "aws-sigv4-query-s3"];
export const QUICK = true;

export function sign(scheme, rng, hostile) {
  const [link, s3] = [scheme.includes('query'), scheme.includes('s3')];
  const method = link ? 'GET' : hostile.method(rng);
  const host = hostile.host(rng);
  // For S3 it signs the path with all but the unreserved encoded, whatever it sends, and of several parameters of one
  // name the first alone.
  const path = s3 ? `/${hostile.segments(rng).map((part) => hostile.quote(part)).join('/')}` : hostile.path(rng, { dots: rng.chance(0.3) });
  const query = hostile.queryString(rng, s3 ? hostile.distinct(hostile.query(rng)) : hostile.query(rng));
  const headers = Object.fromEntries(hostile.headers(rng));
  const request = {
    host,
    method,
    path: `${path}${query ? `?${query}` : ''}`,
    headers: { Host: host, ...headers },
    body: ['GET', 'HEAD'].includes(method) ? undefined : hostile.bodyText(rng) || undefined,
    service: s3 ? 's3' : 'service',
    region: rng.choice(['us-east-1', 'eu-west-3']),
    signQuery: link,
  };
  const keys = { accessKeyId: `AKIA${hostile.word(rng)}`, secretAccessKey: hostile.secret(rng, 40, 40) };
  if (rng.chance(0.3)) keys.sessionToken = hostile.secret(rng, 50, 200);
  return signed(request, keys, hostile.now(rng));
}

function signed(request, keys, now) {
  const date = `${new Date(now * 1000).toISOString().replace(/[:-]|\.\d{3}/g, '')}`;
  if (request.signQuery) {
    const more = `X-Amz-Date=${date}&X-Amz-Expires=900`;
    request.path += `${request.path.includes('?') ? '&' : '?'}${more}`;
  } else {
    request.headers['X-Amz-Date'] = date;
  }
  const { region, service, body } = request;
  const made = aws4.sign(request, keys);
  return {
    method: made.method,
    url: `https://${made.host}${made.path}`,
    headers: Object.entries(made.headers).map(([name, value]) => [name, String(value)]),
    body: body ?? '',
    key_id: keys.accessKeyId,
    secret: keys.secretAccessKey,
    now,
    vars: { region, service },
  };
}
