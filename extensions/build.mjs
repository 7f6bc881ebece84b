/**
 * Builds all that Python ships of the front end: `node extensions/build.mjs [folder]` fills static/canvas/ and labextension/ of `folder`
 * (default: nbflow/ beside extensions/). Installs what the lock files name, unless `--installed`.
 */

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const flags = process.argv.slice(2).filter((word) => word.startsWith('--'));
const [folder] = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const out = resolve(folder ?? join(HERE, '../nbflow'));
const beside = join(dirname(process.execPath), '../lib/node_modules/npm/bin/npm-cli.js'); // of the same Node.js, system's or wheel's
const npm = existsSync(beside) ? [process.execPath, beside] : ['npm'];

const run = (where, command, ...words) => execFileSync(command, words, { cwd: join(HERE, where), stdio: ['ignore', 'inherit', 'inherit'] });

for (const where of flags.includes('--installed') ? [] : ['canvas', 'jupyterlab']) {
  run(where, ...npm, 'ci', '--no-audit', '--no-fund', '--loglevel=error');
}
run('canvas', process.execPath, 'build.mjs', '--out', join(out, 'static/canvas'), '--package');
run('jupyterlab', process.execPath, 'build.mjs');

const [target, next] = [join(out, 'labextension'), join(out, '.labextension.new')];
rmSync(next, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
cpSync(join(HERE, 'jupyterlab/labextension'), next, { recursive: true });
rmSync(target, { recursive: true, force: true });
renameSync(next, target);
console.log(`built ${target}`);
