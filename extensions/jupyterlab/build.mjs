/**
 * Builds the extension into labextension/. First esbuild joins our files (and the canvas, built with `--package`, in a part of its own that is
 * loaded when a document opens) into lib/; then JupyterLab's builder makes of it what Lab loads, with Lab's own React and packages.
 */

import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const HERE = dirname(fileURLToPath(import.meta.url));
const { resolve } = createRequire(import.meta.url);

const canvas = {
  name: 'canvas',
  setup(made) {
    made.onResolve({ filter: /^@nbflow\/canvas$/ }, () => ({ path: join(HERE, '../canvas/dist/index.js') }));
    made.onResolve({ filter: /^[^.]/ }, ({ path, kind }) => (kind === 'entry-point' ? undefined : { path, external: true }));
  },
};

rmSync(join(HERE, 'lib'), { recursive: true, force: true });
await build({
  absWorkingDir: HERE,
  entryPoints: { index: './src/index.ts' },
  outdir: 'lib',
  bundle: true,
  splitting: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  plugins: [canvas],
  logLevel: 'warning',
});
const builder = resolve('@jupyter/builder/lib/build-labextension.js');
const core = resolve('@jupyterlab/core-meta/core.package.json');
execFileSync(process.execPath, [builder, '--core-package-file', core, HERE], { cwd: HERE, stdio: ['ignore', 'ignore', 'inherit'] });
