// S3 uploads in signed chunks, signed with the signer of the AWS SDK for JavaScript. The SDK itself sends chunks that
// are not signed; its signer makes the first signature, and those of event streams, which over no headers are a chunk's.
// The trailer is signed by the signer's key over the text of the AWS documentation.

import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';

export const SDK = "@smithy/signature-v4@5.7.5";
export const ALSO = ["@aws-crypto/sha256-js@5.2.0"];
export const SCHEMES = ["aws-sigv4-streaming"];
export const QUICK = true;

const SIGNED = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD';
const TRAILED = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER';
const SUM = 'x-amz-checksum-sha256';

export async function sign(scheme, rng, hostile) {
  const line = unsigned(scheme, rng, hostile);
  const content = Buffer.from(line.body_base64, 'base64');
  return signed(line, content, rng.int(1, 400), rng.chance(0.5));
}

export function unsigned(scheme, rng, hostile) {
  const query = hostile.distinct(hostile.query(rng));
  const fields = hostile.headers(rng).map(([name, value]) => [`X-Amz-Meta-${name}`, value]);
  const content = rng.chance(0.5) ? rng.bytes(rng.int(1, 1000)) : hostile.body(rng);
  const trailer = rng.chance(0.5) ? [['X-Amz-Trailer', SUM]] : [];
  return {
    method: 'PUT',
    url: `https://${hostile.host(rng).toLowerCase()}${hostile.path(rng)}${search(query)}`,
    headers: [...hostile.distinct(fields), ...trailer],
    // Nothing to send is not sent in chunks, unless the message says so.
    body_base64: (content.length ? content : Buffer.from('x')).toString('base64'),
    key_id: hostile.word(rng),
    secret: hostile.secret(rng),
    vars: { region: rng.choice(['us-east-1', 'eu-west-3']), service: 's3', 'chunk-size': String(rng.int(1, 400)) },
    now: hostile.now(rng),
  };
}

// As the SDK encodes it, which is also how it signs it.
const escaped = (text) => encodeURIComponent(text.toWellFormed()).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
const search = (query) => (query.length ? `?${query.map(([k, v]) => `${escaped(k)}=${escaped(v)}`).join('&')}` : '');

const date = (line) => new Date(line.now * 1000);
const signer = (line) =>
  new SignatureV4({
    credentials: { accessKeyId: line.key_id, secretAccessKey: line.secret },
    region: line.vars.region,
    service: 's3',
    sha256: Sha256,
    uriEscapePath: false,
    applyChecksum: false,
  });

// The field lines with which the SDK's signer answers.
async function head(line, headers) {
  const url = new URL(line.url);
  const [, host, target] = line.url.match(/^https:\/\/([^/]+)(.*)$/);
  const [path, query] = target.split('?');
  const parameters = (query ?? '').split('&').filter(Boolean).map((pair) => pair.split('=').map(decodeURIComponent));
  const request = {
    method: line.method,
    protocol: 'https:',
    hostname: url.hostname,
    path,
    query: Object.fromEntries(parameters),
    headers: { host, ...Object.fromEntries(headers) },
  };
  return signer(line).sign(request, { signingDate: date(line) });
}

// The signatures of chunks and trailer, behind the first one.
function chain(line, first) {
  let previous = first;
  const stamp = date(line).toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = `${stamp.slice(0, 8)}/${line.vars.region}/s3/aws4_request`;
  return {
    async chunk(payload) {
      const prior = { signingDate: date(line), priorSignature: previous };
      previous = await signer(line).signEvent({ headers: new Uint8Array(0), payload }, prior);
      return previous;
    },
    async trailer(lines) {
      const digest = createHash('sha256').update(lines.map(([k, v]) => `${k}:${v}\n`).join('')).digest('hex');
      const text = ['AWS4-HMAC-SHA256-TRAILER', stamp, scope, previous, digest].join('\n');
      return signer(line).signString(text, { signingDate: date(line) });
    },
  };
}

const SUMS = {
  'x-amz-checksum-sha256': (content) => createHash('sha256').update(content).digest('base64'),
  'x-amz-checksum-sha1': (content) => createHash('sha1').update(content).digest('base64'),
  'x-amz-checksum-crc32': (content) => {
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(content));
    return sum.toString('base64');
  },
};

async function signed(line, content, size, trailed, names = [SUM]) {
  const { body_base64, vars, ...rest } = line;
  const plain = line.headers.filter(([name]) => name !== 'X-Amz-Trailer');
  const headers = [
    ...plain,
    ['Content-Encoding', 'aws-chunked'],
    ['X-Amz-Content-Sha256', trailed ? TRAILED : SIGNED],
    ['X-Amz-Decoded-Content-Length', String(content.length)],
    ...(trailed ? [['X-Amz-Trailer', names.join(',')]] : []),
  ];
  const answer = await head(line, headers);
  const first = answer.headers.authorization.match(/Signature=(\w+)$/)[1];
  const signatures = chain(line, first);
  const pieces = [];
  for (let at = 0; at < content.length; at += size) {
    const chunk = content.subarray(at, at + size);
    pieces.push(`${chunk.length.toString(16)};chunk-signature=${await signatures.chunk(chunk)}\r\n`, chunk, '\r\n');
  }
  pieces.push(`0;chunk-signature=${await signatures.chunk(new Uint8Array(0))}\r\n`);
  if (trailed) {
    const lines = [...names].sort().map((name) => [name, SUMS[name](content)]);
    for (const [name, value] of lines) pieces.push(`${name}:${value}\r\n`);
    pieces.push(`x-amz-trailer-signature:${await signatures.trailer(lines)}\r\n`);
  }
  pieces.push('\r\n');
  const { host, ...others } = answer.headers;
  const body = Buffer.concat(pieces.map((piece) => Buffer.from(piece)));
  const text = body.toString();
  const carried = Buffer.from(text).equals(body) ? { body: text } : { body_base64: body.toString('base64') };
  return { ...rest, headers: Object.entries(others), ...carried };
}

/** The SDK signs what we signed once more: all signatures have to be the same. */
export async function verify(scheme, line) {
  const field = (name) => line.headers.find(([known]) => known.toLowerCase() === name)?.[1];
  const claimed = field('authorization').match(/Signature=(\w+)$/)[1];
  const listed = field('authorization').match(/SignedHeaders=([^,]+)/)[1].split(';');
  const headers = line.headers.filter(([name]) => listed.includes(name.toLowerCase()) && !/^(host|x-amz-date)$/i.test(name));
  const answer = await head(line, headers);
  if (!answer.headers.authorization.endsWith(`Signature=${claimed}`)) return false;
  const signatures = chain(line, claimed);
  let rest = line.body_base64 ? Buffer.from(line.body_base64, 'base64') : Buffer.from(line.body);
  const content = [];
  for (;;) {
    const [, size, signature] = rest.toString('latin1', 0, 200).match(/^([0-9a-f]+);chunk-signature=(\w+)\r\n/) ?? [];
    if (!size) return false;
    const start = size.length + signature.length + 19;
    const chunk = rest.subarray(start, start + parseInt(size, 16));
    if ((await signatures.chunk(chunk)) !== signature) return false;
    content.push(chunk);
    rest = rest.subarray(start + chunk.length);
    if (chunk.length === 0) break;
    if (rest.toString('latin1', 0, 2) !== '\r\n') return false;
    rest = rest.subarray(2);
  }
  const whole = Buffer.concat(content);
  if (field('x-amz-decoded-content-length') !== String(whole.length)) return false;
  const names = field('x-amz-trailer')?.split(',') ?? [];
  const lines = [...names].sort().map((name) => [name, SUMS[name](whole)]);
  const written = lines.map(([k, v]) => `${k}:${v}\r\n`).join('');
  const trailer = lines.length ? `${written}x-amz-trailer-signature:${await signatures.trailer(lines)}\r\n` : '';
  return rest.toString() === `${trailer}\r\n`;
}

export async function fixed() {
  const content = Buffer.from('The content of an object, which goes in chunks of twenty bytes: Zoë 😀\r\n0;chunk-signature=\r\n');
  const of = (id, url, headers, trailed, names) => {
    const covered = ['method', 'host', 'path', 'query', 'body', 'header.authorization', 'header.x-amz-date', 'header.x-amz-content-sha256'];
    const line = {
      id: `smithy-${id}`,
      source: `${SDK}, sign and signEvent`,
      expect: 'verified',
      covered: [...covered, 'header.x-amz-decoded-content-length', 'header.content-encoding', ...(trailed ? ['header.x-amz-trailer'] : []), 'secret'],
      open: ['scheme', 'header.x-other', 'key-id'],
      method: 'PUT',
      url,
      headers,
      key_id: 'AKIDEXAMPLE',
      secret: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
      vars: { region: 'eu-west-3' },
      now: 1714566896,
    };
    return signed(line, content, 20, trailed, names);
  };
  return Promise.all([
    of('chunks', 'https://bucket.s3.eu-west-3.amazonaws.com/key', [['X-Amz-Storage-Class', 'STANDARD_IA']], false),
    of('trailer', 'https://bucket.s3.eu-west-3.amazonaws.com/key', [['Content-Type', 'text/plain']], true, ['x-amz-checksum-sha256']),
    of('trailers', 'https://s3.eu-west-3.amazonaws.com/bucket/a%20b/%C3%A9~?partNumber=1&uploadId=a%2Bb%2Fc%3D', [], true, ['x-amz-checksum-sha1', 'x-amz-checksum-crc32']),
  ]);
}
