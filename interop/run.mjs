// Runs an interop driver of an npm SDK: run.py for Node, with the same arguments but --list.
//
// Packages are looked for in the folder that $INTEROP_NPM names, by default target/interop/npm.

import { mkdirSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { register } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { resolve } from 'node:path';
import * as hostile from './hostile.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const packages = resolve(process.env.INTEROP_NPM ?? `${here}../target/interop/npm`);
register('./modules.mjs', import.meta.url, { data: { base: pathToFileURL(`${packages}/driver.mjs`).href } });

const flag = { type: 'boolean', default: false };
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    scheme: { type: 'string' },
    count: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    at: { type: 'string' },
    fixed: flag,
    unsigned: flag,
    verify: flag,
    base: flag,
    write: flag,
  },
});
const [name] = positionals;
if (name === undefined) throw new Error('which driver?');

const driver = await import(new URL(`./drivers/${name}.mjs`, import.meta.url));

const show = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

/** Puts the lines into the scheme's file: in the place of those with their ids, else behind. */
function write(scheme, lines) {
  const folder = `${here}../vectors/${scheme}`;
  mkdirSync(folder, { recursive: true });
  const file = `${folder}/sdk.jsonl`;
  const known = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean).map((text) => JSON.parse(text)) : [];
  const merged = new Map([...known, ...lines].map((line) => [line.id, line]));
  writeFileSync(file, [...merged.values()].map((line) => `${JSON.stringify(line)}\n`).join(''));
}

if (options.verify || options.base) {
  for await (const text of createInterface({ input: process.stdin })) {
    const { scheme, ...line } = JSON.parse(text);
    if (options.verify) show({ id: line.id, accepted: Boolean(await driver.verify(scheme, line)) });
    else show({ id: line.id, base: await driver.base(scheme, line) });
  }
} else {
  for (const scheme of driver.SCHEMES) {
    if (options.scheme !== undefined && options.scheme !== scheme) continue;
    if (options.fixed) {
      const lines = await driver.fixed(scheme);
      if (options.write) write(scheme, lines);
      else lines.forEach(show);
      continue;
    }
    const make = options.unsigned ? driver.unsigned : driver.sign;
    const indices = options.at === undefined ? [...Array(Number(options.count)).keys()] : [Number(options.at)];
    for (const index of indices) {
      const id = `${name}/${scheme}/${options.seed}/${index}`;
      // A verifier whose clock the driver does not set has this time.
      const now = options.unsigned ? { now: Math.floor(Date.now() / 1000) } : {};
      const made = await make(scheme, hostile.generator(id), hostile);
      if (made !== null) show({ id, scheme, ...now, ...made });
    }
  }
}
